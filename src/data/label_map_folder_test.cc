#include "data/label_map_folder.h"

#include <gmock/gmock.h>

#include <set>

#include "data/read.h"
#include "testing/image_files.h"
#include "testing/temporary_folder.h"

namespace concertina::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class LabelMapFolder : public ::testing::Test {
 protected:
  /// Files are only listed.
  void write(std::initializer_list<const char*> paths) const {
    for (const char* path : paths) folder_.write(path, "");
  }
  std::vector<std::string> names(Split split) const {
    const auto listing = list_label_maps(folder_, split);
    EXPECT_TRUE(listing) << listing.error().message;
    std::vector<std::string> pairs;
    for (std::size_t i = 0; listing && i < listing->files.size(); ++i) {
      const auto name = [&](const std::filesystem::path& path) {
        return path.lexically_relative(folder_.path()).string();
      };
      pairs.push_back(name(listing->files[i]) + " " + name(listing->maps[i]));
    }
    return pairs;
  }
  std::string refusal(Split split = Split::train) const {
    return testing::error_of(list_label_maps(folder_, split));
  }

  const testing::TestFolder folder_;
};

TEST_F(LabelMapFolder, SplitsHoldImagesAndMasks) {
  write({"train/images/b.jpg", "train/images/a/c.png", "train/masks/b.png", "train/masks/a/c_mask.png",
         "train/images/.hidden.png", "val/images/t.jpg", "val/labels/t.png"});
  EXPECT_THAT(names(Split::train), ElementsAre("train/images/a/c.png train/masks/a/c_mask.png",
                                               "train/images/b.jpg train/masks/b.png"));
  EXPECT_THAT(names(Split::test), ElementsAre("val/images/t.jpg val/labels/t.png"));
  EXPECT_TRUE(holds_label_maps(folder_));
  EXPECT_THAT(testing::error_of(detect_format(folder_)), HasSubstr("set task = \"segment\""));
  EXPECT_EQ(*detect_format(folder_, Labels::maps), Format::image_folder);
  EXPECT_EQ(list_label_maps(folder_, Split::train)->labels.size(), 2u);
}

TEST_F(LabelMapFolder, ImagesAndMasksHoldSplits) {
  write({"images/training/a.jpg", "annotations/training/a.png", "images/validation/b.jpg",
         "annotations/validation/b.png"});
  EXPECT_THAT(names(Split::train), ElementsAre("images/training/a.jpg annotations/training/a.png"));
  EXPECT_THAT(names(Split::test), ElementsAre("images/validation/b.jpg annotations/validation/b.png"));
}

TEST_F(LabelMapFolder, WithoutSplitsAFifthIsForTheTest) {
  std::set<std::string> both;
  for (int i = 0; i < 10; ++i) {
    folder_.write("images/" + std::to_string(i) + ".png", "");
    folder_.write("masks/" + std::to_string(i) + ".png", "");
  }
  for (const Split split : {Split::train, Split::test}) {
    const auto part = names(split);
    EXPECT_EQ(part.size(), split == Split::train ? 8u : 2u);
    both.insert(part.begin(), part.end());
  }
  EXPECT_EQ(both.size(), 10u);
}

TEST_F(LabelMapFolder, WithoutLabelsOnlyTheImagesAreImages) {
  write({"train/images/a.jpg", "train/masks/a.png", "test/images/b.jpg", "test/masks/b.png"});
  const auto listing = list_image_files({.root = folder_, .labels = Labels::none}, Split::train);
  ASSERT_TRUE(listing) << listing.error().message;
  EXPECT_THAT(listing->files, ElementsAre(folder_ / "train/images/a.jpg"));
  EXPECT_TRUE(listing->maps.empty());
}

TEST_F(LabelMapFolder, PascalVocListsItsSplits) {
  write({"JPEGImages/a.jpg", "JPEGImages/b.jpg", "JPEGImages/unlabelled.jpg", "SegmentationClass/a.png",
         "SegmentationClass/b.png"});
  EXPECT_EQ(names(Split::train).size() + names(Split::test).size(), 2u);
  folder_.write("ImageSets/Segmentation/train.txt", "b\n");
  EXPECT_THAT(refusal(), HasSubstr("holds only one of the lists train.txt and val.txt"));
  folder_.write("ImageSets/Segmentation/val.txt", "a\n");
  EXPECT_THAT(names(Split::train), ElementsAre("JPEGImages/b.jpg SegmentationClass/b.png"));
  EXPECT_THAT(names(Split::test), ElementsAre("JPEGImages/a.jpg SegmentationClass/a.png"));
  folder_.write("ImageSets/Segmentation/val.txt", "a\nc\n");
  EXPECT_THAT(refusal(Split::test), HasSubstr("has no label map 'c.png', which the list of the split names"));
}

TEST_F(LabelMapFolder, SaysWhatIsMissing) {
  EXPECT_THAT(refusal(), HasSubstr("images belong in train/images/ and their label maps in train/masks/"));
  EXPECT_FALSE(holds_label_maps(folder_));
  write({"train/images/a.jpg", "train/masks/a.png", "train/images/b.jpg"});
  EXPECT_THAT(refusal(), HasSubstr("1 of the images have no label map; '"));
  write({"train/masks/b.png", "train/masks/c.png"});
  EXPECT_THAT(refusal(), HasSubstr("c.png' has no image in"));
  write({"train/images/c.jpg", "train/masks/c_mask.png"});
  EXPECT_THAT(refusal(), HasSubstr("have one name; rename or remove one"));
  EXPECT_THAT(refusal(Split::test), HasSubstr("test' holds no images with label maps"));
}

}  // namespace
}  // namespace concertina::data
