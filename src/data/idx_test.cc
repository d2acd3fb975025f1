#include "data/idx.h"

#include <gmock/gmock.h>

#include "testing/image_files.h"
#include "testing/temporary_folder.h"

namespace concertina::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::string_literals;

class IdxTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_.write("train-images-idx3-ubyte", testing::idx_bytes({2, 2, 3}, "abcdefghijkl"));
    folder_.write("train-labels-idx1-ubyte", testing::idx_bytes({2}, "\x07\x00"s));
  }

  const testing::TestFolder folder_;
};

std::string error_of_images(std::string_view bytes) {
  return testing::error_of(parse_idx_images(bytes, "f"));
}

TEST_F(IdxTest, ReadsImagesAndLabels) {
  const ImageSet set = *read_idx(folder_, Split::train);
  EXPECT_EQ(set.size(), 2);
  EXPECT_EQ(set.channels, 1);
  EXPECT_EQ(set.height, 2);
  EXPECT_EQ(set.width, 3);
  EXPECT_THAT(set.image(1), ElementsAre('g', 'h', 'i', 'j', 'k', 'l'));
  EXPECT_THAT(set.labels, ElementsAre(7, 0));
  EXPECT_EQ(set.classes[7], "7");
}

TEST_F(IdxTest, ReadsPackedFilesOfTheTestSplit) {
  folder_.write("t10k-images-idx3-ubyte.gz", testing::to_gzip(testing::idx_bytes({1, 1, 2}, "xy")));
  folder_.write("t10k-labels-idx1-ubyte.gz", testing::to_gzip(testing::idx_bytes({1}, "\x03")));
  const ImageSet set = *read_idx(folder_, Split::test);
  EXPECT_THAT(set.image(0), ElementsAre('x', 'y'));
  EXPECT_THAT(set.labels, ElementsAre(3));
}

TEST_F(IdxTest, KnowsFashionMnistByItsFolder) {
  for (const char* folder : {"Fashion-MNIST", "FashionMNIST/raw"}) {
    folder_.write(std::filesystem::path(folder) / "train-images-idx3-ubyte",
                  testing::idx_bytes({1, 1, 1}, "x"));
    folder_.write(std::filesystem::path(folder) / "train-labels-idx1-ubyte", testing::idx_bytes({1}, "\x09"));
    EXPECT_EQ(read_idx(folder_ / folder / "", Split::train)->classes[9], "Ankle boot");
  }
  EXPECT_THAT(testing::error_of(read_idx(folder_ / "fashion", Split::train)),
              HasSubstr("apt-get install dataset-fashion-mnist"));
}

TEST_F(IdxTest, TakesNamesOfClasses) {
  EXPECT_EQ(read_idx(folder_, Split::train, std::vector<std::string>(47, "x"))->classes.size(), 47u);
  const auto few = read_idx(folder_, Split::train, {"a", "b"});
  EXPECT_THAT(testing::error_of(few), HasSubstr("gives image 0 the label 7, and there are 2 classes"));
}

TEST_F(IdxTest, NamesTheMissingFile) {
  const auto missing = read_idx(folder_, Split::test);
  EXPECT_THAT(testing::error_of(missing), HasSubstr("holds neither t10k-images-idx3-ubyte nor"));
}

TEST_F(IdxTest, NeedsALabelForEachImage) {
  folder_.write("train-labels-idx1-ubyte", testing::idx_bytes({3}, "\x01\x01\x01"));
  const auto odd = read_idx(folder_, Split::train);
  EXPECT_THAT(testing::error_of(odd), HasSubstr("holds 2 images and"));
  EXPECT_THAT(testing::error_of(odd), HasSubstr("3 labels"));
}

TEST_F(IdxTest, SeesPackedFilesOfAnotherLength) {
  std::filesystem::remove(folder_ / "train-images-idx3-ubyte");
  folder_.write("train-images-idx3-ubyte.gz",
                testing::to_gzip(testing::idx_bytes({2, 2, 3}, "abcdefghijklm")));
  EXPECT_THAT(testing::error_of(read_idx(folder_, Split::train)), HasSubstr("goes on after the 28 bytes"));
  folder_.write("train-images-idx3-ubyte.gz",
                testing::to_gzip(testing::idx_bytes({4'000'000'000u, 16384, 16384}, "abc")));
  EXPECT_THAT(testing::error_of(read_idx(folder_, Split::train)),
              HasSubstr("has 19 bytes where its header says"));
  folder_.write("train-images-idx3-ubyte.gz",
                testing::to_gzip(testing::idx_bytes({2, 2, 3}, "abcdefghijkl")).substr(0, 20));
  EXPECT_THAT(testing::error_of(read_idx(folder_, Split::train)), HasSubstr("ends in the middle"));
}

TEST(Idx, RefusesBytesThatAreNoImages) {
  EXPECT_EQ(error_of_images(testing::idx_bytes({1, 1, 2}, "ab")), "no error");
  EXPECT_THAT(error_of_images(""), HasSubstr("'f' ends within its header, after 0 bytes"));
  EXPECT_THAT(error_of_images(testing::idx_bytes({2}, "abcdefghijkl")), HasSubstr("starts with 00000801"));
  EXPECT_THAT(error_of_images(testing::idx_bytes({1, 1, 2}, "a")),
              HasSubstr("has 17 bytes where its header says 18"));
  EXPECT_THAT(error_of_images(testing::idx_bytes({1, 1, 2}, "abc")), HasSubstr("goes on after the 18 bytes"));
  EXPECT_THAT(error_of_images(testing::idx_bytes({0, 1, 2}, "")), HasSubstr("holds no images"));
  EXPECT_THAT(error_of_images(testing::idx_bytes({1, 0, 2}, "")), HasSubstr("0 x 2 pixels"));
  EXPECT_THAT(error_of_images(testing::idx_bytes({1, 0xffffffffu, 0xffffffffu}, "ab")),
              HasSubstr("a side must be 1 to 16384"));
}

}  // namespace
}  // namespace concertina::data
