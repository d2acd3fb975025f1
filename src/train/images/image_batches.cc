#include "train/images/image_batches.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "base/hash.h"

namespace concertina::train {

Normalization measure_normalization(const data::ImageSet& set) {
  const auto c = static_cast<std::size_t>(set.channels);
  std::vector<std::int64_t> sum(c, 0), squares(c, 0);
  for (std::size_t i = 0; i < set.pixels.size(); ++i) {
    const std::int64_t v = set.pixels[i];
    sum[i % c] += v;
    squares[i % c] += v * v;
  }
  Normalization result;
  const double count = static_cast<double>(set.pixels.size()) / static_cast<double>(c);
  for (std::size_t k = 0; k < c; ++k) {
    const double mean = static_cast<double>(sum[k]) / count;
    const double variance = static_cast<double>(squares[k]) / count - mean * mean;
    result.mean.push_back(static_cast<float>(mean / 255));
    // A constant channel carries nothing; it must not divide by zero.
    result.stddev.push_back(static_cast<float>(std::sqrt(std::max(variance, 1.0)) / 255));
  }
  return result;
}

ImageBatches::ImageBatches(std::shared_ptr<const PixelSource> source, const std::vector<std::int32_t>& labels,
                           const Normalization& normalization, torch::Device device)
    : source_(std::move(source)),
      labels_(torch::tensor(labels, torch::kInt).to(torch::kLong).to(device)),
      mean_(torch::tensor(normalization.mean).to(device) * 255),
      stddev_(torch::tensor(normalization.stddev).to(device) * 255),
      bgr_(normalization.bgr) {}

ImageBatches::ImageBatches(std::vector<torch::Tensor> arrays)
    : arrays_(std::move(arrays)),
      labels_(torch::zeros({arrays_[0].size(0)}, torch::kLong).to(arrays_[0].device())) {}

ImageBatches ImageBatches::arranged(std::span<const int> order) const {
  ImageBatches other = *this;
  if (source_) return other;
  other.arrays_.clear();
  for (const int i : order) other.arrays_.push_back(arrays_[static_cast<std::size_t>(i)]);
  return other;
}

std::span<const std::int64_t> ImageBatches::part_of(std::span<const std::int64_t> indices) const {
  return indices.size() < static_cast<std::size_t>(processes_.count()) ? indices : processes_.share(indices);
}

Batch ImageBatches::batch_of(std::span<const std::int64_t> part, std::size_t of_all) const {
  const std::vector<std::int64_t> list(part.begin(), part.end());
  const torch::Tensor index = torch::tensor(list, torch::kLong).to(labels_.device());
  Batch batch{.inputs = {}, .labels = labels_.index_select(0, index), .teacher = teacher_.get()};
  if (part.size() < of_all) {
    batch.sharers = processes_;
    batch.elsewhere = static_cast<std::int64_t>(of_all - part.size());
  }
  for (const torch::Tensor& array : arrays_)
    batch.inputs.push_back(array.index_select(0, index).contiguous(torch::MemoryFormat::ChannelsLast));
  return batch;
}

void ImageBatches::take(const Pixels& pixels, Batch& batch) const {
  // NHWC in memory seen as NCHW: what LibTorch calls channels last.
  const torch::Tensor images = (bgr_ ? pixels.images.flip(3) : pixels.images).to(torch::kFloat);
  batch.inputs = {((images - mean_) / stddev_).permute({0, 3, 1, 2})};
  if (pixels.maps.defined()) batch.labels = pixels.maps.to(torch::kLong);
}

Batch ImageBatches::batch(std::span<const std::int64_t> indices) const {
  const std::span<const std::int64_t> part = part_of(indices);
  Batch batch = batch_of(part, indices.size());
  if (source_) take(source_->plain(part), batch);
  if (teacher_) {
    const std::int64_t whose = reinterpret_cast<std::intptr_t>(labels_.unsafeGetTensorImpl());
    batch.key = Hash().add(fmt::format("{}:{}", whose, fmt::join(part, ","))).value();
  }
  return batch;
}

Batch ImageBatches::augmented(std::span<const std::int64_t> indices, const Augmentation& augmentation,
                              std::uint64_t key) const {
  const std::span<const std::int64_t> part = part_of(indices);
  Batch batch = batch_of(part, indices.size());
  if (source_) take(source_->augmented(part, augmentation, key), batch);
  return batch;
}

std::vector<std::int64_t> batch_indices(std::span<const std::int64_t> indices,
                                        std::span<const std::int64_t> order, std::int64_t number, int batch) {
  std::vector<std::int64_t> chosen;
  for (std::int64_t k = number * batch; k < (number + 1) * batch; ++k) {
    chosen.push_back(indices[order[static_cast<std::size_t>(k)]]);
  }
  return chosen;
}

}  // namespace concertina::train
