#include "data/read.h"

#include <gmock/gmock.h>

#include "testing/image_files.h"
#include "testing/temporary_folder.h"

namespace concertina::data {
namespace {

using ::testing::HasSubstr;

class ReadTest : public ::testing::Test {
 protected:
  const testing::TestFolder folder_;
};

TEST_F(ReadTest, TellsTheFormatFromTheNames) {
  folder_.write("idx/train-images-idx3-ubyte.gz", "");
  folder_.write("cifar/data_batch_1.bin", "");
  folder_.write("folder/train/a/x.jpg", "");
  EXPECT_EQ(*detect_format(folder_ / "idx"), Format::idx);
  EXPECT_EQ(*detect_format(folder_ / "cifar"), Format::cifar10);
  EXPECT_EQ(*detect_format(folder_ / "folder"), Format::image_folder);
}

TEST_F(ReadTest, SaysWhatItWouldHaveKnown) {
  EXPECT_THAT(testing::error_of(detect_format(folder_)),
              HasSubstr("holds no known data set; give a folder with"));
  folder_.write("data_batch_1", "");
  EXPECT_THAT(testing::error_of(detect_format(folder_)), HasSubstr("cifar-10-binary.tar.gz"));
  EXPECT_THAT(testing::error_of(detect_format(folder_ / "gone")),
              HasSubstr("gone' is not a folder; check the path"));
  const DatasetSpec fashion{.format = Format::idx, .root = folder_ / "fashion-mnist"};
  EXPECT_THAT(testing::error_of(read_image_set(fashion, Split::train, 1)),
              HasSubstr("apt-get install dataset-fashion-mnist"));
}

TEST_F(ReadTest, ReadsFormatsByName) {
  EXPECT_EQ(*parse_format("idx"), Format::idx);
  EXPECT_EQ(*parse_format("cifar10"), Format::cifar10);
  EXPECT_EQ(*parse_format("image_folder"), Format::image_folder);
  EXPECT_THAT(testing::error_of(parse_format("cifar-10")), HasSubstr("did you mean 'cifar10'?"));
}

TEST_F(ReadTest, NeedsNothingOfTheOtherSplit) {
  folder_.write("train-images-idx3-ubyte", testing::idx_bytes({1, 1, 1}, "x"));
  folder_.write("train-labels-idx1-ubyte", testing::idx_bytes({1}, "\x02"));
  folder_.write("t10k-images-idx3-ubyte", "no IDX file");
  const DatasetSpec spec{.format = Format::idx, .root = folder_};
  EXPECT_TRUE(read_image_set(spec, Split::train, 2));
  EXPECT_FALSE(read_image_set(spec, Split::test, 2));
}

TEST_F(ReadTest, ResizesOnlyFoldersOfImages) {
  const DatasetSpec spec{.format = Format::cifar10, .root = folder_, .image_size = 64};
  EXPECT_THAT(testing::error_of(read_image_set(spec, Split::train, 1)),
              HasSubstr("image_size is 64, and only folders"));
}

}  // namespace
}  // namespace concertina::data
