#include "base/random.h"
#include "train/images/pixel_source.h"

namespace concertina::train {
namespace {

torch::Tensor index_tensor(const std::vector<std::int64_t>& values, torch::Device device) {
  return torch::tensor(values, torch::kLong).to(device);
}

class PixelsInMemory final : public PixelSource {
 public:
  PixelsInMemory(const data::ImageSet& set, torch::Device device) {
    const auto n = static_cast<std::int64_t>(set.labels.size());
    auto* pixels = const_cast<std::uint8_t*>(set.pixels.data());  // copied below, never written
    images_ =
        torch::from_blob(pixels, {n, set.height, set.width, set.channels}, torch::kByte).clone().to(device);
  }

  torch::Tensor plain(std::span<const std::int64_t> indices) const override {
    return images_.index_select(0, index_tensor({indices.begin(), indices.end()}, images_.device()));
  }

  torch::Tensor augmented(std::span<const std::int64_t> indices, const Augmentation& augmentation,
                          std::uint64_t key) const override {
    const std::int64_t pad = augmentation.pad, height = images_.size(1), width = images_.size(2);
    const CounterRandom random(key);
    std::vector<std::int64_t> top, left, mirrored;
    for (const std::int64_t i : indices) {
      const auto counter = static_cast<std::uint64_t>(i) * 3;
      const auto choices = static_cast<std::uint64_t>(2 * pad + 1);
      top.push_back(static_cast<std::int64_t>(random.below(choices, counter)));
      left.push_back(static_cast<std::int64_t>(random.below(choices, counter + 1)));
      mirrored.push_back(augmentation.flip && random.below(2, counter + 2) == 1 ? 1 : 0);
    }
    const torch::Device device = images_.device();
    const torch::Tensor padded = torch::constant_pad_nd(plain(indices), {0, 0, pad, pad, pad, pad});
    const torch::Tensor y = torch::arange(height, torch::kLong).to(device);
    const torch::Tensor x = torch::arange(width, torch::kLong).to(device);
    const torch::Tensor flip = index_tensor(mirrored, device).unsqueeze(1);
    const torch::Tensor rows = index_tensor(top, device).unsqueeze(1) + y;  // [n][h]
    const torch::Tensor columns =
        index_tensor(left, device).unsqueeze(1) + (1 - flip) * x + flip * x.flip(0);  // [n][w]
    const torch::Tensor image = torch::arange(padded.size(0), torch::kLong).to(device).view({-1, 1, 1});
    return padded.index({image, rows.unsqueeze(2), columns.unsqueeze(1)});
  }

 private:
  torch::Tensor images_;  // [n][h][w][c] uint8
};

}  // namespace

std::unique_ptr<PixelSource> pixels_in_memory(const data::ImageSet& set, torch::Device device) {
  return std::make_unique<PixelsInMemory>(set, device);
}

}  // namespace concertina::train
