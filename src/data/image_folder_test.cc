#include "data/image_folder.h"

#include <gmock/gmock.h>

#include <set>

#include "base/try.h"
#include "data/crop.h"
#include "testing/image_files.h"
#include "testing/temporary_folder.h"

namespace concertina::data {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

class ImageFolderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_.write("train/dog/2.png", testing::to_png(testing::smooth_image(8, 8, 3, 2)));
    folder_.write("train/dog/1.PNG", testing::to_png(testing::smooth_image(8, 8, 3, 1)));
    folder_.write("train/cat/a.jpeg", testing::to_jpeg(testing::smooth_image(8, 8, 1)));
    folder_.write("train/cat/.hidden", "");
    folder_.write("test/cat/t.png", testing::to_png(testing::smooth_image(8, 8, 3, 5)));
    folder_.write("test/dog/t.png", testing::to_png(testing::smooth_image(8, 8, 3, 6)));
  }

  Result<ImageSet> read(Split split = Split::train, int image_size = 0) {
    ASSIGN_OR_RETURN(ImageFiles listing, list_image_folder(folder_, split));
    return read_images(std::move(listing), {.image_size = image_size, .resize = image_size}, pool_);
  }
  std::string error(Split split = Split::train, int image_size = 0) {
    return testing::error_of(read(split, image_size));
  }

  ThreadPool pool_{3};
  const testing::TestFolder folder_;
};

TEST_F(ImageFolderTest, SortsClassesAndFilesByName) {
  const ImageSet set = *read();
  EXPECT_THAT(set.classes, ElementsAre("cat", "dog"));
  EXPECT_THAT(set.labels, ElementsAre(0, 1, 1));
  EXPECT_EQ(set.channels, 3);
  EXPECT_THAT(set.image(1), ElementsAreArray(testing::smooth_image(8, 8, 3, 1).pixels));
  EXPECT_THAT(set.image(2), ElementsAreArray(testing::smooth_image(8, 8, 3, 2).pixels));
}

TEST_F(ImageFolderTest, ReadsTestOrVal) {
  EXPECT_THAT(read(Split::test)->image(1), ElementsAreArray(testing::smooth_image(8, 8, 3, 6).pixels));
  std::filesystem::rename(folder_ / "test", folder_ / "val");
  EXPECT_THAT(read(Split::test)->image(0), ElementsAreArray(testing::smooth_image(8, 8, 3, 5).pixels));
}

TEST_F(ImageFolderTest, ReadsTheFoldersThatOthersUse) {
  for (const char* name : {"valid", "validation"}) {
    std::filesystem::remove_all(folder_ / name);
    std::filesystem::rename(folder_ / "test", folder_ / name);
    EXPECT_THAT(read(Split::test)->image(1), ElementsAreArray(testing::smooth_image(8, 8, 3, 6).pixels))
        << name;
    std::filesystem::rename(folder_ / name, folder_ / "test");
  }
}

// Tiny ImageNet: images in folders of their own beside boxes; the validation images in one folder.
TEST_F(ImageFolderTest, ReadsTinyImageNet) {
  for (const char* name : {"cat", "dog"}) {
    const std::filesystem::path train = folder_ / "train" / name, inner = folder_ / "inner";
    std::filesystem::rename(train, inner);
    std::filesystem::create_directory(train);
    std::filesystem::rename(inner, train / "images");
    folder_.write(std::string("train/") + name + "/boxes.txt", "0 0 8 8");
  }
  EXPECT_THAT(read()->labels, ElementsAre(0, 1, 1));
  std::filesystem::remove_all(folder_ / "test");
  folder_.write("val/images/x.png", testing::to_png(testing::smooth_image(8, 8, 3, 5)));
  folder_.write("val/images/y.png", testing::to_png(testing::smooth_image(8, 8, 3, 6)));
  folder_.write("val/val_annotations.txt", "x.png\tdog\t0\t0\t8\t8\ny.png\tcat\t0\t0\t8\t8\r\n");
  EXPECT_TRUE(check_image_folder(folder_));
  const ImageSet set = *read(Split::test);
  EXPECT_THAT(set.labels, ElementsAre(0, 1));
  EXPECT_THAT(set.image(0), ElementsAreArray(testing::smooth_image(8, 8, 3, 6).pixels));
  for (const char* line : {"x.png\tcow\n", "../x.png\tcat\n", "x.txt\tcat\n", "x.png\n", "\n"}) {
    folder_.write("val/val_annotations.txt", line);
    EXPECT_THAT(error(Split::test), HasSubstr("names no image and a class of train/")) << line;
  }
  folder_.write("val/val_annotations.txt", "x.png\tdog\n");
  EXPECT_THAT(error(Split::test), HasSubstr("has no image of the class 'cat'"));
}

TEST_F(ImageFolderTest, SplitsOneFolderByClass) {
  const testing::TestFolder one;
  for (int i = 0; i < 10; ++i)
    one.write("b/" + std::to_string(i) + ".png", testing::to_png(testing::smooth_image(8, 8, 3, i)));
  for (int i = 0; i < 3; ++i)
    one.write("a/" + std::to_string(i) + ".png", testing::to_png(testing::smooth_image(8, 8, 3, 20 + i)));
  EXPECT_TRUE(holds_image_folder(one));
  EXPECT_TRUE(check_image_folder(one));
  const ImageFiles train = *list_image_folder(one, Split::train), test = *list_image_folder(one, Split::test);
  EXPECT_THAT(train.labels, ElementsAre(0, 0, 1, 1, 1, 1, 1, 1, 1, 1));
  EXPECT_THAT(test.labels, ElementsAre(0, 1, 1));
  EXPECT_THAT(test.classes, ElementsAre("a", "b"));
  std::set<std::filesystem::path> all(train.files.begin(), train.files.end());
  all.insert(test.files.begin(), test.files.end());
  EXPECT_EQ(all.size(), 13u);

  one.write("c/0.png", testing::to_png(testing::smooth_image(8, 8, 3, 0)));
  EXPECT_THAT(list_image_folder(one, Split::train).error().message, HasSubstr("/c' holds one image"));
  one.write("c/notes.txt", "");
  EXPECT_THAT(list_image_folder(one, Split::train).error().message, HasSubstr("c/notes.txt' is not named"));
  one.write("notes.txt", "");
  EXPECT_FALSE(holds_image_folder(one));
}

TEST_F(ImageFolderTest, FitsImagesToOneSize) {
  const Image large = testing::smooth_image(20, 30, 3);
  folder_.write("train/cat/b.png", testing::to_png(large));
  EXPECT_THAT(error(), HasSubstr("b.png' has 20 x 30 pixels and the first image 8 x 8; set image_size"));
  const ImageSet set = *read(Split::train, 8);
  EXPECT_THAT(set.image(1), ElementsAreArray(fit_square(large, 8).pixels));
  EXPECT_THAT(set.image(2), ElementsAreArray(testing::smooth_image(8, 8, 3, 1).pixels));
  EXPECT_THAT(error(Split::train, -1), HasSubstr("image_size is -1; set it to 1 to 4096 pixels"));
}

TEST_F(ImageFolderTest, DoesNotDependOnTheThreads) {
  for (int i = 0; i < 60; ++i) {
    folder_.write("train/cat/" + std::to_string(i) + ".jpg",
                  testing::to_jpeg(testing::smooth_image(9 + i, 30 - i / 3, 3, i)));
  }
  ThreadPool one(1);
  const ImageSet expected =
      *read_images(*list_image_folder(folder_, Split::train), {.image_size = 8, .resize = 8}, one);
  const ImageSet set = *read(Split::train, 8);
  EXPECT_EQ(set.pixels, expected.pixels);
  EXPECT_EQ(set.labels, expected.labels);
}

TEST_F(ImageFolderTest, NamesAllDamagedImagesAtOnce) {
  for (int i = 10; i < 60; ++i) {
    folder_.write("train/cat/" + std::to_string(i) + ".png",
                  i < 30 ? testing::to_png(testing::smooth_image(8, 8, 3)) : "no image");
  }
  for (int round = 0; round < 5; ++round) {
    const std::string message = error();
    EXPECT_THAT(message, HasSubstr("30 of 53 images cannot be used:\n"));
    EXPECT_THAT(message, HasSubstr("cat/30.png' is neither"));
    EXPECT_THAT(message, HasSubstr("cat/49.png' is neither"));
    EXPECT_THAT(message, ::testing::Not(HasSubstr("cat/50.png")));
    EXPECT_THAT(message, HasSubstr("and 10 more"));
  }
  for (int i = 31; i < 60; ++i)
    std::filesystem::remove(folder_ / ("train/cat/" + std::to_string(i) + ".png"));
  EXPECT_THAT(error(),
              ::testing::EndsWith("cat/30.png' is neither a JPEG nor a PNG image; convert or remove it"));
}

TEST_F(ImageFolderTest, FindsFilesThatAreNotWholeWithoutDecodingAll) {
  const ImageFiles listing = *list_image_folder(folder_, Split::train);
  EXPECT_TRUE(check_images(listing, pool_));
  // Sound but for what follows the image: decoded, then accepted.
  folder_.write("train/cat/a.jpeg", testing::to_jpeg(testing::smooth_image(8, 8, 1)) + "a note");
  EXPECT_TRUE(check_images(listing, pool_));
  folder_.write("train/cat/a.jpeg", testing::to_jpeg(testing::smooth_image(80, 80, 1)).substr(0, 500));
  folder_.write("train/dog/1.PNG", "");
  const std::string message = testing::error_of(check_images(listing, pool_));
  EXPECT_THAT(message, HasSubstr("2 of 3 images cannot be used"));
  EXPECT_THAT(message, HasSubstr("a.jpeg' is a damaged image"));
  EXPECT_THAT(message, HasSubstr("1.PNG' is neither"));
}

TEST_F(ImageFolderTest, MakesImagesGrayForANetworkOfOneChannel) {
  ASSERT_TRUE(list_image_folder(folder_, Split::train));
  const ImageSet set = *read_images(*list_image_folder(folder_, Split::train), {.channels = 1}, pool_);
  EXPECT_EQ(set.channels, 1);
  EXPECT_THAT(set.image(1), ElementsAreArray(to_gray(testing::smooth_image(8, 8, 3, 1)).pixels));
}

TEST_F(ImageFolderTest, RefusesFoldersThatAreNoDataSet) {
  folder_.write("train/cat/notes.txt", "");
  EXPECT_THAT(error(), HasSubstr("cat/notes.txt' is not named .jpg, .jpeg or .png"));
  std::filesystem::create_directory(folder_ / "train" / "ant");
  EXPECT_THAT(error(), HasSubstr("train/ant' holds no images; fill or remove it"));
  EXPECT_THAT(error(Split::test), HasSubstr("only one has 'ant'"));
  folder_.write("train/loose.jpg", "");
  EXPECT_THAT(error(), HasSubstr("loose.jpg' is not a folder of a class; images belong in train/<class>/"));
  std::filesystem::remove_all(folder_ / "train");
  EXPECT_THAT(error(), HasSubstr("/train'; images belong in train/<class>/ and test/<class>/"));
  std::filesystem::create_directory(folder_ / "train");
  EXPECT_THAT(error(), HasSubstr("train' holds no images"));
}

TEST_F(ImageFolderTest, WithoutLabelsAllImagesBelowCount) {
  folder_.write("train/notes.txt", "passed over");
  folder_.write("train/deep/er/3.png", testing::to_png(testing::smooth_image(8, 8, 3, 3)));
  const auto train = list_images_below(folder_, Split::train);
  ASSERT_TRUE(train) << train.error().message;
  EXPECT_EQ(train->files.size(), 4u);
  EXPECT_EQ(train->files[1], folder_ / "train/deep/er/3.png");
  EXPECT_THAT(train->labels, ElementsAre(0, 0, 0, 0));
  EXPECT_TRUE(train->classes.empty());
  EXPECT_EQ(list_images_below(folder_, Split::test)->files.size(), 2u);

  const testing::TestFolder flat;
  EXPECT_THAT(testing::error_of(list_images_below(flat, Split::train)), HasSubstr("holds no images"));
  for (int i = 0; i < 10; ++i)
    flat.write(std::to_string(i) + ".png", testing::to_png(testing::smooth_image(8, 8, 3, i)));
  std::set<std::filesystem::path> both;
  for (const Split split : {Split::train, Split::test}) {
    const auto part = *list_images_below(flat, split);
    EXPECT_EQ(part.files.size(), split == Split::train ? 8u : 2u);
    both.insert(part.files.begin(), part.files.end());
  }
  EXPECT_EQ(both.size(), 10u);
}

}  // namespace
}  // namespace concertina::data
