#include "train/pixels_on_disk.h"

#include <algorithm>
#include <mutex>

#include "base/random.h"
#include "base/thread_pool.h"
#include "data/crop.h"
#include "data/image.h"
#include "data/resize.h"

namespace concertina::train {
namespace {

constexpr std::uint64_t kMirrorCounter = 100;  // after those of the box
constexpr std::int64_t kRgb = 3;

class PixelsOnDisk final : public PixelSource {
 public:
  PixelsOnDisk(std::vector<std::filesystem::path> files, const Squares& squares, int threads,
               torch::Device device)
      : files_(std::move(files)), squares_(squares), pool_(threads), device_(device) {}

  torch::Tensor plain(std::span<const std::int64_t> indices) const override {
    return decoded(indices, [this](const Image& image, std::int64_t) {
      return fit_centre(image, squares_.resize, squares_.size);
    });
  }

  torch::Tensor augmented(std::span<const std::int64_t> indices, const Augmentation& augmentation,
                          std::uint64_t key) const override {
    return decoded(indices, [&](const Image& image, std::int64_t index) {
      const CounterRandom random(key, static_cast<std::uint64_t>(index));
      const Box box = random_box(image.height, image.width, random);
      Image square = resize_bilinear(crop(image, box), squares_.size, squares_.size);
      const bool mirrored = augmentation.flip && random.below(2, kMirrorCounter) == 1;
      return mirrored ? mirror(std::move(square)) : square;
    });
  }

  Status status() const override {
    const std::lock_guard lock(mutex_);
    return failure_;
  }

 private:
  template <typename Fit>
  torch::Tensor decoded(std::span<const std::int64_t> indices, Fit fit) const {
    const auto count = static_cast<std::int64_t>(indices.size());
    torch::Tensor images = torch::zeros({count, squares_.size, squares_.size, kRgb}, torch::kByte);
    auto* pixels = images.data_ptr<std::uint8_t>();
    const std::int64_t size = images.numel() / std::max<std::int64_t>(count, 1);
    pool_.parallel_for(static_cast<int>(count), [&](int i) {
      const std::int64_t index = indices[static_cast<std::size_t>(i)];
      auto image = read_image(files_[static_cast<std::size_t>(index)]);
      if (!image) return fail(image.error());
      const Image square = fit(to_rgb(*std::move(image)), index);
      std::copy(square.pixels.begin(), square.pixels.end(), pixels + i * size);
    });
    return images.to(device_);
  }

  void fail(const Error& error) const {
    const std::lock_guard lock(mutex_);
    if (failure_) failure_ = error;
  }

  std::vector<std::filesystem::path> files_;
  Squares squares_;
  mutable ThreadPool pool_;
  torch::Device device_;
  mutable std::mutex mutex_;
  mutable Status failure_;
};

}  // namespace

std::unique_ptr<PixelSource> pixels_on_disk(std::vector<std::filesystem::path> files, const Squares& squares,
                                            int threads, torch::Device device) {
  return std::make_unique<PixelsOnDisk>(std::move(files), squares, threads, device);
}

}  // namespace concertina::train
