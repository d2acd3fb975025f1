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

TEST_F(ReadTest, ChecksThatBothSplitsAreThereWithoutOpeningThem) {
  const auto error = [&](Format format, const char* root) {
    const Status status = check_splits({.format = format, .root = folder_ / root});
    return status ? std::string("no error") : status.error().message;
  };
  for (const char* file : {"train-images-idx3-ubyte", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte"})
    folder_.write(std::string("idx/") + file, "");
  EXPECT_THAT(error(Format::idx, "idx"), HasSubstr("holds neither t10k-labels-idx1-ubyte nor"));
  folder_.write("idx/t10k-labels-idx1-ubyte", "");
  EXPECT_EQ(error(Format::idx, "idx"), "no error");

  for (const char* file : {"1", "2", "3", "4", "5"})
    folder_.write(std::string("cifar/data_batch_") + file + ".bin", "");
  EXPECT_THAT(error(Format::cifar10, "cifar"), HasSubstr("cifar' lacks test_batch.bin"));
  folder_.write("cifar/test_batch.bin", "");
  EXPECT_EQ(error(Format::cifar10, "cifar"), "no error");

  folder_.write("folder/train/ant/x.jpg", "");
  EXPECT_THAT(error(Format::image_folder, "folder"), HasSubstr("there is no folder '"));
  EXPECT_THAT(error(Format::image_folder, "folder"),
              HasSubstr("images belong in train/<class>/ and test/<class>/"));
  folder_.write("folder/val/bee/x.jpg", "");
  EXPECT_THAT(error(Format::image_folder, "folder"), HasSubstr("only one has 'ant'"));
  folder_.write("folder/val/ant/x.jpg", "");
  folder_.write("folder/train/bee/x.jpg", "");
  EXPECT_EQ(error(Format::image_folder, "folder"), "no error");
  EXPECT_THAT(error(Format::image_folder, "none"), HasSubstr("is not a folder"));
}

TEST_F(ReadTest, ResizesOnlyFoldersOfImages) {
  const DatasetSpec spec{.format = Format::cifar10, .root = folder_, .image_size = 64};
  EXPECT_THAT(testing::error_of(read_image_set(spec, Split::train, 1)),
              HasSubstr("image_size is 64, and only folders"));
}

}  // namespace
}  // namespace concertina::data
