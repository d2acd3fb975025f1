#include "data/label_map.h"
#include "train/images/pixel_source.h"

namespace concertina::train {
namespace {

torch::Tensor index_tensor(const std::vector<std::int64_t>& values, torch::Device device) {
  return torch::tensor(values, torch::kLong).to(device);
}

/// A tensor of the bytes themselves: large sets are not in memory twice.
torch::Tensor owning(std::vector<std::uint8_t> bytes, torch::IntArrayRef sizes) {
  const auto kept = std::make_shared<std::vector<std::uint8_t>>(std::move(bytes));
  return torch::from_blob(
      kept->data(), sizes, [kept](void*) {}, torch::kByte);
}

class PixelsOnDevice final : public PixelSource {
 public:
  PixelsOnDevice(data::ImageSet set, torch::Device device) {
    const auto n = static_cast<std::int64_t>(set.labels.size());
    const std::int64_t height = set.height, width = set.width;
    if (!set.maps.empty()) maps_ = owning(std::move(set.maps), {n, height, width}).to(device);
    images_ = owning(std::move(set.pixels), {n, height, width, set.channels}).to(device);
  }

  Pixels plain(std::span<const std::int64_t> indices) const override {
    const torch::Tensor index = index_tensor({indices.begin(), indices.end()}, images_.device());
    return {images_.index_select(0, index), maps_.defined() ? maps_.index_select(0, index) : maps_};
  }

  Pixels augmented(std::span<const std::int64_t> indices, const Augmentation& augmentation,
                   std::uint64_t key) const override {
    const std::int64_t pad = augmentation.pad, height = images_.size(1), width = images_.size(2);
    std::vector<std::int64_t> top, left, mirrored;
    for (const std::int64_t i : indices) {
      const Placement place = random_placement(i, augmentation, key);
      top.push_back(pad + place.top);
      left.push_back(pad + place.left);
      mirrored.push_back(place.mirrored ? 1 : 0);
    }
    const torch::Device device = images_.device();
    Pixels pixels = plain(indices);
    const torch::Tensor y = torch::arange(height, torch::kLong).to(device);
    const torch::Tensor x = torch::arange(width, torch::kLong).to(device);
    const torch::Tensor flip = index_tensor(mirrored, device).unsqueeze(1);
    const torch::Tensor rows = index_tensor(top, device).unsqueeze(1) + y;  // [n][h]
    const torch::Tensor columns =
        index_tensor(left, device).unsqueeze(1) + (1 - flip) * x + flip * x.flip(0);  // [n][w]
    const torch::Tensor image = torch::arange(rows.size(0), torch::kLong).to(device).view({-1, 1, 1});
    const auto moved = [&](const torch::Tensor& padded) {
      return padded.index({image, rows.unsqueeze(2), columns.unsqueeze(1)});
    };
    pixels.images = moved(torch::constant_pad_nd(pixels.images, {0, 0, pad, pad, pad, pad}));
    if (maps_.defined())
      pixels.maps = moved(torch::constant_pad_nd(pixels.maps, {pad, pad, pad, pad}, data::kUnlabelled));
    return pixels;
  }

 private:
  torch::Tensor images_;  // [n][h][w][c] uint8
  torch::Tensor maps_;    // [n][h][w] uint8, or undefined
};

}  // namespace

std::unique_ptr<PixelSource> pixels_on_device(data::ImageSet set, torch::Device device) {
  return std::make_unique<PixelsOnDevice>(std::move(set), device);
}

}  // namespace concertina::train
