#include "train/images/normalization.h"

#include <gtest/gtest.h>

namespace concertina::train {
namespace {

TEST(Normalization, IsMeanAndDeviationPerChannel) {
  data::ImageSet set{
      .channels = 2, .height = 1, .width = 2, .pixels = {0, 7, 255, 7}, .labels = {0}, .classes = {"a"}};
  const Normalization n = measure_normalization(set);
  EXPECT_NEAR(n.mean[0], 0.5, 1e-6);
  EXPECT_NEAR(n.stddev[0], 0.5, 1e-6);
  EXPECT_NEAR(n.mean[1], 7.0 / 255, 1e-6);
  EXPECT_GT(n.stddev[1], 0);
}

/// Every byte in every channel, [n][h][w][c]; the channels of a pixel differ.
torch::Tensor all_bytes(std::int64_t channels) {
  const torch::Tensor values = torch::arange(256).unsqueeze(1) + 50 * torch::arange(channels);
  return values.remainder(256).to(torch::kByte).view({2, 16, 8, channels});
}

// Strides too: by them LibTorch chooses how it computes what follows.
TEST(Normalizer, GivesTheBitsOfLibTorch) {
  for (const std::int64_t channels : {1, 2, 3}) {
    for (const bool bgr : {false, true}) {
      Normalization normalization{{0.485F, 0.456F, 0.406F}, {0.229F, 0.224F, 0.225F}, bgr};
      normalization.mean.resize(static_cast<std::size_t>(channels));
      normalization.stddev.resize(static_cast<std::size_t>(channels));
      const Normalizer normalizer(normalization, torch::kCPU);
      for (const torch::Tensor& pixels : {all_bytes(channels), all_bytes(channels).flip(2),
                                          all_bytes(channels).narrow(1, 3, 1).contiguous(),
                                          all_bytes(channels).narrow(2, 3, 1).contiguous()}) {
        const torch::Tensor got = normalizer.normalised(pixels),
                            wanted = normalizer.normalised_by_ops(pixels);
        EXPECT_TRUE(torch::equal(got, wanted));
        EXPECT_EQ(got.strides(), wanted.strides()) << channels;
      }
    }
  }
}

// As they lie in a batch whose label maps follow each image.
TEST(Normalizer, ReadsImagesWithGapsBetween) {
  const Normalizer normalizer({{0.5F, 0.25F}, {0.5F, 1}}, torch::kCPU);
  const torch::Tensor whole = torch::randint(256, {5, 3 * 4 * 2 + 3 * 4}, torch::kByte);
  const torch::Tensor pixels = whole.narrow(1, 0, 24).view({5, 3, 4, 2});
  const torch::Tensor maps = whole.narrow(1, 24, 12).view({5, 3, 4});
  EXPECT_TRUE(torch::equal(normalizer.normalised(pixels), normalizer.normalised_by_ops(pixels)));
  EXPECT_TRUE(torch::equal(labels_of_maps(maps), maps.to(torch::kLong)));
  EXPECT_EQ(labels_of_maps(maps).scalar_type(), torch::kLong);
}

}  // namespace
}  // namespace concertina::train
