#include <algorithm>

#include "data/label_map.h"
#include "train/images/pixel_source.h"

namespace concertina::train {
namespace {

/// Values [height][width][size].
struct Extent {
  int height = 0, width = 0, size = 1;

  std::int64_t row() const { return std::int64_t{width} * size; }
  std::int64_t all() const { return height * row(); }
};

/// Copies a row so that it begins at its column `shift`, which may lie outside of it.
void copy_row(const std::uint8_t* from, const Extent& extent, int shift, std::uint8_t* to) {
  const int begin = std::max(0, shift), end = std::min(extent.width, extent.width + shift);
  if (begin < end)
    std::copy(from + begin * extent.size, from + end * extent.size, to + (begin - shift) * extent.size);
}

void mirror_row(std::uint8_t* row, const Extent& extent) {
  for (int x = 0; x < extent.width / 2; ++x)
    std::swap_ranges(row + x * extent.size, row + (x + 1) * extent.size,
                     row + (extent.width - 1 - x) * extent.size);
}

/// Copies an image to where `place` shows it; around it everything is `outside`.
void copy_image(const std::uint8_t* from, const Extent& extent, const Placement& place, std::uint8_t outside,
                std::uint8_t* to) {
  for (int y = 0; y < extent.height; ++y, to += extent.row()) {
    const int row = y + place.top;
    const bool within = row >= 0 && row < extent.height;
    if (!within || place.left != 0) std::fill_n(to, extent.row(), outside);
    if (!within) continue;
    copy_row(from + row * extent.row(), extent, place.left, to);
    if (place.mirrored) mirror_row(to, extent);
  }
}

/// On the CPU, with plain loops by the calling thread: the others train meanwhile.
class PixelsInMemory final : public PixelSource {
 public:
  explicit PixelsInMemory(data::ImageSet set) : set_(std::move(set)) {}

  Pixels plain(std::span<const std::int64_t> indices) const override {
    return placed(indices, [](std::int64_t) { return Placement(); });
  }

  Pixels augmented(std::span<const std::int64_t> indices, const Augmentation& augmentation,
                   std::uint64_t key) const override {
    return placed(indices, [&](std::int64_t i) { return random_placement(i, augmentation, key); });
  }

 private:
  template <typename PlacementOf>
  Pixels placed(std::span<const std::int64_t> indices, PlacementOf placement_of) const {
    const auto n = static_cast<std::int64_t>(indices.size());
    const Extent image{set_.height, set_.width, set_.channels}, map{set_.height, set_.width};
    Pixels pixels{torch::empty({n, image.height, image.width, image.size}, torch::kByte), {}};
    if (!set_.maps.empty()) pixels.maps = torch::empty({n, map.height, map.width}, torch::kByte);
    for (std::int64_t k = 0; k < n; ++k) {
      const std::int64_t i = indices[static_cast<std::size_t>(k)];
      const Placement place = placement_of(i);
      copy_image(set_.pixels.data() + i * image.all(), image, place, 0,
                 pixels.images.data_ptr<std::uint8_t>() + k * image.all());
      if (set_.maps.empty()) continue;
      copy_image(set_.maps.data() + i * map.all(), map, place, data::kUnlabelled,
                 pixels.maps.data_ptr<std::uint8_t>() + k * map.all());
    }
    return pixels;
  }

  data::ImageSet set_;
};

}  // namespace

std::unique_ptr<PixelSource> pixels_in_memory(data::ImageSet set, torch::Device device) {
  if (!device.is_cpu()) return pixels_on_device(std::move(set), device);
  return std::make_unique<PixelsInMemory>(std::move(set));
}

}  // namespace concertina::train
