#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "data/crop.h"
#include "testing/image_files.h"
#include "testing/temporary_folder.h"
#include "train/images/image_batches.h"
#include "train/images/pixel_source.h"
#include "train/images/training_data.h"

namespace concertina::train {
namespace {

using ::testing::HasSubstr;

/// Images of uneven sizes, some of them gray.
class PixelsOnDiskTest : public ::testing::Test {
 protected:
  static constexpr int kImages = 12;

  void SetUp() override {
    for (int i = 0; i < kImages; ++i) {
      const std::filesystem::path path =
          std::filesystem::path("train") / (i % 2 == 0 ? "a" : "b") / (std::to_string(10 + i) + ".png");
      images_.push_back(testing::smooth_image(20 + 7 * (i % 5), 40 - 3 * i, i % 3 == 0 ? 1 : 3, i));
      folder_.write(path, testing::to_png(images_.back()));
      files_.push_back(folder_ / path);
      all_.push_back(i);
    }
  }
  std::unique_ptr<PixelSource> open(int threads = 2) const {
    return pixels_on_disk({.files = files_, .labels = {}, .classes = {}}, false, {.size = 16, .resize = 20},
                          threads, torch::kCPU);
  }
  static torch::Tensor tensor(const data::Image& image) {
    return torch::tensor(image.pixels, torch::kByte).view({image.height, image.width, image.channels});
  }

  std::vector<data::Image> images_;
  std::vector<std::filesystem::path> files_;
  std::vector<std::int64_t> all_;
  const testing::TestFolder folder_;
};

TEST_F(PixelsOnDiskTest, EvaluatesTheMiddleOfTheScaledImage) {
  const torch::Tensor got = open()->plain(all_).images;
  for (int i = 0; i < kImages; ++i) {
    const data::Image wanted = data::fit_centre(data::to_rgb(images_[i]), 20, 16);
    EXPECT_TRUE(torch::equal(got[i], tensor(wanted))) << i;
  }
}

TEST_F(PixelsOnDiskTest, ImagesThatAreEvaluatedAgainAreKept) {
  const auto source = open();
  const torch::Tensor first = source->plain(all_).images;
  EXPECT_TRUE(torch::equal(source->plain(all_).images, first));
  for (const auto& file : files_) std::filesystem::remove(file);
  EXPECT_TRUE(torch::equal(source->plain(all_).images, first));
  EXPECT_TRUE(source->status());
  source->augmented(all_, {}, 1);
  EXPECT_FALSE(source->status());
}

TEST_F(PixelsOnDiskTest, TrainsOnRandomBoxesOfEachKeyAndImage) {
  const auto source = open();
  const torch::Tensor got = source->augmented(all_, {.flip = true}, 7).images;
  int mirrored = 0;
  for (int i = 0; i < kImages; ++i) {
    const data::Image image = data::to_rgb(images_[i]);
    const data::Box box =
        data::random_box(image.height, image.width, CounterRandom(7, static_cast<std::uint64_t>(i)));
    const data::Image square = data::resize_bilinear(data::crop(image, box), 16, 16);
    const bool flipped = torch::equal(got[i], tensor(data::mirror(square)));
    EXPECT_TRUE(flipped || torch::equal(got[i], tensor(square))) << i;
    mirrored += flipped ? 1 : 0;
  }
  EXPECT_GT(mirrored, 0);
  EXPECT_LT(mirrored, kImages);
  const std::int64_t third[] = {3};
  EXPECT_TRUE(
      torch::equal(source->augmented(third, {.flip = true}, 7).images[0], got[3]));  // whatever its batch is
  EXPECT_FALSE(torch::equal(source->augmented(all_, {.flip = true}, 8).images, got));
  EXPECT_TRUE(torch::equal(open(1)->augmented(all_, {.flip = true}, 7).images, got));
}

TEST_F(PixelsOnDiskTest, RemembersAFileThatCannotBeRead) {
  folder_.write("train/b/11.png", "no image");
  const auto source = open();
  EXPECT_TRUE(source->status());
  const torch::Tensor got = source->plain(all_).images;
  EXPECT_THAT(source->status().error().message, HasSubstr("b/11.png' is neither"));
  EXPECT_EQ(got[1].sum().item<std::int64_t>(), 0);
  EXPECT_GT(got[2].sum().item<std::int64_t>(), 0);
}

// Pixels of the map are those of the image, so they must stay where those are.
TEST_F(PixelsOnDiskTest, LabelMapsGoTheWayOfTheirImages) {
  data::ImageFiles listing{.files = {}, .labels = {}, .classes = {}};
  for (int i = 0; i < 4; ++i) {
    data::Image image{30, 40 + i, 1, {}}, map = image;
    for (int y = 0; y < image.height; ++y) {
      for (int x = 0; x < image.width; ++x) {
        image.pixels.push_back(x < 15 ? 0 : 200);
        map.pixels.push_back(x < 15 ? 0 : 255);
      }
    }
    const std::string name = std::to_string(i) + ".png";
    folder_.write("images/" + name, testing::to_png(image));
    folder_.write("masks/" + name, testing::to_png(map));
    listing.files.push_back(folder_ / ("images/" + name));
    listing.maps.push_back(folder_ / ("masks/" + name));
  }
  const auto source =
      pixels_on_disk(listing, true, {.size = 16, .resize = 20, .channels = 1}, 2, torch::kCPU);
  const std::int64_t indices[] = {0, 1, 2, 3};
  for (const Pixels& pixels : {source->plain(indices), source->plain(indices), source->plain(indices),
                               source->augmented(indices, {.flip = true}, 5)}) {
    ASSERT_EQ(pixels.images.sizes(), (std::vector<std::int64_t>{4, 16, 16, 1}));
    ASSERT_EQ(pixels.maps.sizes(), (std::vector<std::int64_t>{4, 16, 16}));
    EXPECT_LE(pixels.maps.max().item<int>(), 1);
    const torch::Tensor odd = (pixels.images.select(3, 0) > 100) != (pixels.maps == 1);
    EXPECT_LE(odd.sum().item<std::int64_t>(), 16 * 4) << "a column along the edge";
  }
  folder_.write("masks/2.png", testing::to_png(data::Image{2, 2, 1, {0, 0, 0, 0}}));
  EXPECT_TRUE(source->status());
  source->augmented(indices, {}, 1);
  EXPECT_THAT(source->status().error().message, HasSubstr("2.png' has 2 x 2 pixels and its image 30 x 42"));
}

recipe::Recipe recipe_for(const std::filesystem::path& folder) {
  recipe::Recipe recipe;
  recipe.data.path = folder.string();
  recipe.data.crop = recipe::Crop::resized;
  recipe.data.image_size = 16;
  recipe.data.validation = 4;
  recipe.training.batch = 4;
  return recipe;
}

TEST_F(PixelsOnDiskTest, AreATrainingSet) {
  const recipe::Recipe recipe = recipe_for(folder_);
  const auto data = read_training_data(recipe, 3, torch::kCPU, 2);
  ASSERT_TRUE(data) << data.error().message;
  EXPECT_EQ(data->inputs[0].shape, (Shape{3, 16, 16}));
  EXPECT_EQ(data->images.size(), kImages);
  EXPECT_EQ(data->training.size(), 8u);
  const torch::Tensor all = data->images.batch(all_).images();
  EXPECT_LT(all.mean().abs().item<double>(), 1e-4);  // by what was measured of it
  recipe::Recipe given = recipe;
  given.data.mean = {0.485, 0.456, 0.406};
  given.data.stddev = {0.229, 0.224, 0.225};
  const auto normalised = read_training_data(given, 3, torch::kCPU, 2);
  ASSERT_TRUE(normalised) << normalised.error().message;
  EXPECT_EQ(normalised->normalization.mean, (std::vector<float>{0.485F, 0.456F, 0.406F}));
  EXPECT_EQ(normalised->hash, data->hash);
  folder_.write("train/a/10.png", testing::to_png(testing::smooth_image(50, 50, 3)));
  EXPECT_NE(read_training_data(recipe, 3, torch::kCPU, 2)->hash, data->hash);
  EXPECT_THAT(read_test_images(recipe, *data, torch::kCPU, 1).error().message, HasSubstr("test"));
}

TEST_F(PixelsOnDiskTest, KeysThatDoNotFitAreNamed) {
  const auto error = [&](auto change) {
    recipe::Recipe recipe = recipe_for(folder_);
    change(recipe.data);
    return testing::error_of(read_training_data(recipe, 3, torch::kCPU, 1));
  };
  EXPECT_THAT(error([](auto& data) { data.image_size = 0; }), HasSubstr("set data.image_size"));
  EXPECT_THAT(error([](auto& data) { data.mean = {0.5}; }), HasSubstr("data.mean has 1 numbers"));
  EXPECT_THAT(error([](auto& data) { data.format = "idx"; }), HasSubstr("is for folders of images"));
}

}  // namespace
}  // namespace concertina::train
