#include <algorithm>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

#include "base/random.h"
#include "base/thread_pool.h"
#include "base/try.h"
#include "data/crop.h"
#include "data/image.h"
#include "data/label_map.h"
#include "train/images/pixel_source.h"

namespace concertina::train {
namespace {

constexpr std::uint64_t kMirrorCounter = 100;  // after those of the box
/// Of evaluated images that are kept: a search asks for the same few thousand hundreds of times. Those that
/// are asked for once, to measure or to calibrate, are not among them.
constexpr std::size_t kCacheBytes = std::size_t{2} << 30;

/// An image and its label map, if it has one.
struct Sample {
  data::Image image, map;
};

class PixelsOnDisk final : public PixelSource {
 public:
  PixelsOnDisk(data::ImageFiles files, bool black_and_white, const Squares& squares, int threads,
               torch::Device device)
      : files_(std::move(files)),
        black_and_white_(black_and_white),
        squares_(squares),
        device_(device),
        pool_(threads) {}

  Pixels plain(std::span<const std::int64_t> indices) const override {
    const std::lock_guard one_at_a_time(working_);
    Batch batch = unwritten(indices.size());
    fill(batch, indices, [this](std::int64_t index, const Place& place) {
      const auto known = cache_.find(index);
      if (known != cache_.end()) {
        std::copy(known->second.begin(), known->second.end(), place.whole.begin());
      } else {
        write(index, place, [this](Sample sample) {
          return Sample{data::fit_centre(std::move(sample.image), squares_.resize, squares_.size),
                        has_maps() ? data::fit_centre_nearest(sample.map, squares_.resize, squares_.size)
                                   : data::Image()};
        });
      }
    });
    remember(indices, batch);
    return pixels_of(batch);
  }

  Pixels augmented(std::span<const std::int64_t> indices, const Augmentation& augmentation,
                   std::uint64_t key) const override {
    const std::lock_guard one_at_a_time(working_);
    Batch batch = unwritten(indices.size());
    fill(batch, indices, [&](std::int64_t index, const Place& place) {
      write(index, place, [&](const Sample& sample) {
        const CounterRandom random(key, static_cast<std::uint64_t>(index));
        const data::Box box = data::random_box(sample.image.height, sample.image.width, random);
        const int size = squares_.size;
        Sample square{data::resize_bilinear(data::crop(sample.image, box), size, size), {}};
        if (has_maps()) square.map = data::resize_nearest(data::crop(sample.map, box), size, size);
        if (!augmentation.flip || random.below(2, kMirrorCounter) == 0) return square;
        return Sample{data::mirror(std::move(square.image)), data::mirror(std::move(square.map))};
      });
    });
    return pixels_of(batch);
  }

  Status status() const override {
    const std::lock_guard lock(failure_mutex_);
    return failure_;
  }

 private:
  /// Each image's pixels [h][w][c], then its label map [h][w]: [n][bytes].
  using Batch = torch::Tensor;

  /// Of one image in a batch.
  struct Place {
    std::span<std::uint8_t> whole, image, map;
  };

  bool has_maps() const { return !files_.maps.empty(); }
  std::int64_t area() const { return std::int64_t{squares_.size} * squares_.size; }
  std::int64_t image_bytes() const { return area() * squares_.channels; }

  Batch unwritten(std::size_t count) const {
    const auto n = static_cast<std::int64_t>(count);
    return torch::empty({n, image_bytes() + (has_maps() ? area() : 0)}, torch::kByte);
  }
  Place place_of(const Batch& batch, std::size_t i) const {
    const auto size = static_cast<std::size_t>(batch.size(1)),
               image = static_cast<std::size_t>(image_bytes());
    const std::span whole(batch.data_ptr<std::uint8_t>() + i * size, size);
    return {whole, whole.first(image), whole.subspan(image)};
  }
  Pixels pixels_of(const Batch& batch) const {
    const std::int64_t n = batch.size(0), side = squares_.size;
    Pixels pixels{batch.narrow(1, 0, image_bytes()).reshape({n, side, side, squares_.channels}).to(device_),
                  {}};
    if (has_maps()) pixels.maps = batch.narrow(1, image_bytes(), area()).reshape({n, side, side}).to(device_);
    return pixels;
  }

  /// Calls make(index, its place in `batch`) for each index, by all threads.
  template <typename Make>
  void fill(const Batch& batch, std::span<const std::int64_t> indices, Make make) const {
    pool_.parallel_for(static_cast<int>(indices.size()), [&](int i) {
      const auto at = static_cast<std::size_t>(i);
      make(indices[at], place_of(batch, at));
    });
  }

  Result<Sample> read(std::int64_t index) const {
    const auto at = static_cast<std::size_t>(index);
    Sample sample;
    ASSIGN_OR_RETURN(sample.image, data::read_with_channels(files_.files[at], squares_.channels));
    if (!has_maps()) return sample;
    ASSIGN_OR_RETURN(sample.map, data::read_map_of(sample.image, files_.maps[at]));
    if (black_and_white_) data::number_black_and_white(sample.map.pixels);
    return sample;
  }

  template <typename FitSample>
  void write(std::int64_t index, const Place& place, FitSample fit) const {
    auto sample = read(index);
    if (!sample) {
      std::fill(place.image.begin(), place.image.end(), std::uint8_t{0});
      std::fill(place.map.begin(), place.map.end(), data::kUnlabelled);
      return fail(sample.error());
    }
    const Sample square = fit(*std::move(sample));
    std::copy(square.image.pixels.begin(), square.image.pixels.end(), place.image.begin());
    std::copy(square.map.pixels.begin(), square.map.pixels.end(), place.map.begin());
  }

  void remember(std::span<const std::int64_t> indices, const Batch& batch) const {
    for (std::size_t i = 0; i < indices.size(); ++i) {
      const std::span<const std::uint8_t> place = place_of(batch, i).whole;
      if (asked_.insert(indices[i]).second) continue;
      if ((cache_.size() + 1) * place.size() > kCacheBytes) return;
      cache_.try_emplace(indices[i], place.begin(), place.end());
    }
  }

  void fail(const Error& error) const {
    const std::lock_guard lock(failure_mutex_);
    if (failure_) failure_ = error;
  }

  data::ImageFiles files_;
  bool black_and_white_;
  Squares squares_;
  torch::Device device_;
  mutable std::mutex failure_mutex_;
  mutable Status failure_;
  mutable std::mutex working_;  ///< for all that follows
  mutable ThreadPool pool_;
  mutable std::unordered_set<std::int64_t> asked_;
  mutable std::unordered_map<std::int64_t, std::vector<std::uint8_t>> cache_;
};

}  // namespace

std::unique_ptr<PixelSource> pixels_on_disk(data::ImageFiles files, bool black_and_white,
                                            const Squares& squares, int threads, torch::Device device) {
  return std::make_unique<PixelsOnDisk>(std::move(files), black_and_white, squares, threads, device);
}

}  // namespace concertina::train
