#include "data/cifar10.h"

#include <gmock/gmock.h>

#include "testing/image_files.h"
#include "testing/temporary_folder.h"

namespace concertina::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string record(int label, char red, char green, char blue) {
  return std::string(1, static_cast<char>(label)) + std::string(1024, red) + std::string(1024, green) +
         std::string(1024, blue);
}

class Cifar10Test : public ::testing::Test {
 protected:
  void SetUp() override {
    for (int i = 1; i <= 5; ++i)
      folder_.write("data_batch_" + std::to_string(i) + ".bin",
                    record(i, 'r', 'g', 'b') + record(0, 1, 2, 3));
    folder_.write("test_batch.bin", record(9, 'x', 'y', 'z'));
  }

  const testing::TestFolder folder_;
};

TEST_F(Cifar10Test, ReadsTheFilesInOrder) {
  const ImageSet set = *read_cifar10(folder_, Split::train);
  EXPECT_THAT(set.labels, ElementsAre(1, 0, 2, 0, 3, 0, 4, 0, 5, 0));
  EXPECT_EQ(set.image_bytes(), 3072u);
  EXPECT_THAT(set.image(2).first(6), ElementsAre('r', 'g', 'b', 'r', 'g', 'b'));
  EXPECT_THAT(set.image(9).last(3), ElementsAre(1, 2, 3));
  EXPECT_EQ(set.classes[9], "truck");
  EXPECT_THAT(read_cifar10(folder_, Split::test)->labels, ElementsAre(9));
}

TEST_F(Cifar10Test, TurnsPlanesIntoPixelsInPlace) {
  std::string planes(1, '\0');
  for (int i = 0; i < 3072; ++i) planes += static_cast<char>(i % 251);
  ImageSet set{3, 32, 32, {}, {}, {}};
  ASSERT_TRUE(append_cifar10(planes, "f", set));
  for (int c = 0; c < 3; ++c) {
    for (int i = 0; i < 1024; ++i) ASSERT_EQ(set.pixels[3 * i + c], (1024 * c + i) % 251);
  }
}

TEST_F(Cifar10Test, ReadsTheNamesOfTheClasses) {
  folder_.write("batches.meta.txt", "a\r\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n");
  EXPECT_THAT(read_cifar10(folder_, Split::test)->classes,
              ElementsAre("a", "b", "c", "d", "e", "f", "g", "h", "i", "j"));
  folder_.write("batches.meta.txt", "a\nb");
  EXPECT_THAT(testing::error_of(read_cifar10(folder_, Split::test)),
              HasSubstr("names 2 classes where CIFAR-10 has 10"));
}

TEST_F(Cifar10Test, RefusesDamagedFiles) {
  folder_.write("data_batch_5.bin", record(1, 1, 1, 1) + record(10, 1, 1, 1));
  EXPECT_THAT(testing::error_of(read_cifar10(folder_, Split::train)),
              HasSubstr("data_batch_5.bin' gives image 1 the label 10"));
  folder_.write("data_batch_4.bin", record(1, 1, 1, 1) + "more");
  EXPECT_THAT(testing::error_of(read_cifar10(folder_, Split::train)),
              HasSubstr("has 3077 bytes, which is no multiple"));
  folder_.write("data_batch_3.bin", "");
  EXPECT_THAT(testing::error_of(read_cifar10(folder_, Split::train)),
              HasSubstr("data_batch_3.bin' holds no images"));
  std::filesystem::remove(folder_ / "data_batch_2.bin");
  EXPECT_THAT(testing::error_of(read_cifar10(folder_, Split::train)),
              HasSubstr("data_batch_2.bin': No such file"));
}

}  // namespace
}  // namespace concertina::data
