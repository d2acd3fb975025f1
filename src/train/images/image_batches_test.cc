#include "train/images/image_batches.h"

#include <gtest/gtest.h>

#include <set>

namespace concertina::train {
namespace {

/// Pixel values that tell their place: 10 * row + column (+ 100 for the second channel).
data::ImageSet numbered(int count) {
  data::ImageSet set{
      .channels = 2, .height = 4, .width = 5, .pixels = {}, .labels = {}, .classes = {"a", "b"}};
  for (int n = 0; n < count; ++n) {
    for (int y = 0; y < 4; ++y) {
      for (int x = 0; x < 5; ++x) {
        for (int c = 0; c < 2; ++c) set.pixels.push_back(static_cast<std::uint8_t>(100 * c + 10 * y + x + 1));
      }
    }
    set.labels.push_back(n % 2);
  }
  return set;
}

const Normalization kPixels{.mean = {0, 0}, .stddev = {1 / 255.0F, 1 / 255.0F}};  // values stay pixel values

TEST(ImageBatches, ServesImagesAsNchwInChannelsLastMemory) {
  const ImageBatches images(numbered(3), kPixels, torch::kCPU);
  const std::int64_t indices[] = {2, 1};
  const Batch batch = images.batch(indices);
  EXPECT_EQ(batch.images().sizes(), (std::vector<std::int64_t>{2, 2, 4, 5}));
  EXPECT_TRUE(batch.images().is_contiguous(torch::MemoryFormat::ChannelsLast));
  EXPECT_NEAR(batch.images()[0][1][3][2].item<double>(), 133, 1e-3);
  EXPECT_EQ(batch.labels[0].item<std::int64_t>(), 0);
  EXPECT_EQ(batch.labels[1].item<std::int64_t>(), 1);
}

TEST(ImageBatches, WithoutPaddingAndFlipsAugmentationChangesNothing) {
  const ImageBatches images(numbered(3), kPixels, torch::kCPU);
  const std::int64_t indices[] = {0, 2};
  EXPECT_TRUE(torch::equal(images.augmented(indices, {}, 1).images(), images.batch(indices).images()));
}

TEST(ImageBatches, AugmentationIsAFunctionOfItsKey) {
  const ImageBatches images(numbered(8), kPixels, torch::kCPU);
  const std::int64_t indices[] = {0, 1, 2, 3, 4, 5, 6, 7};
  const Augmentation augmentation{.pad = 2, .flip = true};
  EXPECT_TRUE(torch::equal(images.augmented(indices, augmentation, 1).images(),
                           images.augmented(indices, augmentation, 1).images()));
  EXPECT_FALSE(torch::equal(images.augmented(indices, augmentation, 1).images(),
                            images.augmented(indices, augmentation, 2).images()));
}

// Every result is the image shifted by at most `pad`, mirrored or not, with zeros around.
TEST(ImageBatches, CropsAndMirrorsMoveWholeImages) {
  const ImageBatches images(numbered(200), kPixels, torch::kCPU);
  std::vector<std::int64_t> indices(200);
  for (std::size_t i = 0; i < indices.size(); ++i) indices[i] = static_cast<std::int64_t>(i);
  const torch::Tensor got = images.augmented(indices, {.pad = 1, .flip = true}, 9).images();
  const torch::Tensor original = images.batch({indices.data(), 1}).images()[0];
  std::set<int> seen;
  for (std::int64_t i = 0; i < 200; ++i) {
    int matches = 0;
    for (int variant = 0; variant < 18; ++variant) {
      const torch::Tensor source = variant >= 9 ? original.flip(2) : original;
      // Shifting and then mirroring is mirroring and then shifting the other way, so all 9 shifts are tried.
      const torch::Tensor padded = torch::constant_pad_nd(source, {1, 1, 1, 1});
      const torch::Tensor crop = padded.narrow(1, variant % 9 / 3, 4).narrow(2, variant % 3, 5);
      if (!torch::equal(crop, got[i])) continue;
      ++matches;
      seen.insert(variant);
    }
    EXPECT_EQ(matches, 1);
  }
  EXPECT_EQ(seen.size(), 18u);
}

// What is padding has no class, and a pixel keeps its own.
TEST(ImageBatches, LabelMapsMoveWithTheirImages) {
  data::ImageSet set = numbered(50);
  for (std::size_t i = 0; i < set.pixels.size(); i += 2) set.maps.push_back(set.pixels[i]);
  const ImageBatches images(set, kPixels, torch::kCPU);
  std::vector<std::int64_t> indices(50);
  for (std::size_t i = 0; i < indices.size(); ++i) indices[i] = static_cast<std::int64_t>(i);
  const auto first_channel = [](const Batch& batch) {
    return batch.images().select(1, 0).round().to(torch::kLong);
  };
  const Batch plain = images.batch(indices);
  EXPECT_TRUE(torch::equal(plain.labels, first_channel(plain)));
  const Batch batch = images.augmented(indices, {.pad = 2, .flip = true}, 3);
  const torch::Tensor pixels = first_channel(batch), unlabelled = batch.labels == 255;
  EXPECT_TRUE(torch::equal(unlabelled, pixels == 0));
  EXPECT_GT(unlabelled.sum().item<std::int64_t>(), 0);
  EXPECT_TRUE(torch::equal(batch.labels.masked_select(~unlabelled), pixels.masked_select(~unlabelled)));
}

// The loops of the CPU against LibTorch's ops, with pads up to beyond the image.
TEST(ImageBatches, PixelsInMemoryAreThoseOfEveryDevice) {
  data::ImageSet set = numbered(60);
  for (std::size_t i = 0; i < set.pixels.size(); i += 2) set.maps.push_back(set.pixels[i]);
  const auto by_loops = pixels_in_memory(set, torch::kCPU), by_ops = pixels_on_device(set, torch::kCPU);
  std::vector<std::int64_t> indices(60);
  for (std::size_t i = 0; i < indices.size(); ++i) indices[i] = static_cast<std::int64_t>(59 - i);
  const auto expect_equal = [](const Pixels& got, const Pixels& wanted) {
    EXPECT_TRUE(torch::equal(got.images, wanted.images));
    EXPECT_TRUE(torch::equal(got.maps, wanted.maps));
  };
  expect_equal(by_loops->plain(indices), by_ops->plain(indices));
  for (const int pad : {0, 1, 3, 7}) {
    for (const bool flip : {false, true})
      expect_equal(by_loops->augmented(indices, {pad, flip}, 5), by_ops->augmented(indices, {pad, flip}, 5));
  }
}

}  // namespace
}  // namespace concertina::train
