#include <algorithm>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

#include "base/random.h"
#include "base/thread_pool.h"
#include "data/crop.h"
#include "data/image.h"
#include "train/images/pixel_source.h"

namespace concertina::train {
namespace {

constexpr std::uint64_t kMirrorCounter = 100;  // after those of the box
constexpr std::int64_t kRgb = 3;

/// Of evaluated images that are kept: a search asks for the same few thousand hundreds of times. Those that
/// are asked for once, to measure or to calibrate, are not among them.
constexpr std::size_t kCacheBytes = std::size_t{2} << 30;

class PixelsOnDisk final : public PixelSource {
 public:
  PixelsOnDisk(std::vector<std::filesystem::path> files, const Squares& squares, int threads,
               torch::Device device)
      : files_(std::move(files)), squares_(squares), pool_(threads), device_(device) {}

  torch::Tensor plain(std::span<const std::int64_t> indices) const override {
    torch::Tensor images = black(indices.size());
    fill(images, indices, [this](std::int64_t index, std::span<std::uint8_t> place) {
      const auto known = cache_.find(index);
      if (known != cache_.end()) {
        std::copy(known->second.begin(), known->second.end(), place.begin());
      } else {
        write(index, place, [this](const data::Image& image) {
          return data::fit_centre(image, squares_.resize, squares_.size);
        });
      }
    });
    remember(indices, images);
    return images.to(device_);
  }

  torch::Tensor augmented(std::span<const std::int64_t> indices, const Augmentation& augmentation,
                          std::uint64_t key) const override {
    torch::Tensor images = black(indices.size());
    fill(images, indices, [&](std::int64_t index, std::span<std::uint8_t> place) {
      write(index, place, [&](const data::Image& image) {
        const CounterRandom random(key, static_cast<std::uint64_t>(index));
        const data::Box box = data::random_box(image.height, image.width, random);
        data::Image square = data::resize_bilinear(data::crop(image, box), squares_.size, squares_.size);
        const bool mirrored = augmentation.flip && random.below(2, kMirrorCounter) == 1;
        return mirrored ? data::mirror(std::move(square)) : square;
      });
    });
    return images.to(device_);
  }

  Status status() const override {
    const std::lock_guard lock(mutex_);
    return failure_;
  }

 private:
  torch::Tensor black(std::size_t count) const {
    return torch::zeros({static_cast<std::int64_t>(count), squares_.size, squares_.size, kRgb}, torch::kByte);
  }
  std::span<std::uint8_t> place_of(const torch::Tensor& images, std::size_t i) const {
    const auto size = static_cast<std::size_t>(kRgb * squares_.size * squares_.size);
    return {images.data_ptr<std::uint8_t>() + i * size, size};
  }

  /// Calls make(index, its place in `images`) for each index, by all threads.
  template <typename Make>
  void fill(const torch::Tensor& images, std::span<const std::int64_t> indices, Make make) const {
    pool_.parallel_for(static_cast<int>(indices.size()), [&](int i) {
      const auto at = static_cast<std::size_t>(i);
      make(indices[at], place_of(images, at));
    });
  }

  template <typename Fit>
  void write(std::int64_t index, std::span<std::uint8_t> place, Fit fit) const {
    auto image = data::read_image(files_[index]);
    if (!image) return fail(image.error());
    const data::Image square = fit(data::to_rgb(*std::move(image)));
    std::copy(square.pixels.begin(), square.pixels.end(), place.begin());
  }

  void remember(std::span<const std::int64_t> indices, const torch::Tensor& images) const {
    for (std::size_t i = 0; i < indices.size(); ++i) {
      const std::span<const std::uint8_t> place = place_of(images, i);
      if (asked_.insert(indices[i]).second) continue;
      if ((cache_.size() + 1) * place.size() > kCacheBytes) return;
      cache_.try_emplace(indices[i], place.begin(), place.end());
    }
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
  mutable std::unordered_set<std::int64_t> asked_;
  mutable std::unordered_map<std::int64_t, std::vector<std::uint8_t>> cache_;
};

}  // namespace

std::unique_ptr<PixelSource> pixels_on_disk(std::vector<std::filesystem::path> files, const Squares& squares,
                                            int threads, torch::Device device) {
  return std::make_unique<PixelsOnDisk>(std::move(files), squares, threads, device);
}

}  // namespace concertina::train
