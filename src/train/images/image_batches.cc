#include "train/images/image_batches.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/hash.h"

namespace concertina::train {
namespace {

/// Samples of a contiguous array on the CPU, channels last, copied by the calling thread alone.
torch::Tensor copied(const torch::Tensor& array, std::span<const std::int64_t> indices) {
  const std::int64_t channels = array.size(1), pixels = array.size(2) * array.size(3);
  std::vector<std::int64_t> sizes = array.sizes().vec();
  sizes[0] = static_cast<std::int64_t>(indices.size());
  torch::Tensor result = torch::empty(sizes, torch::kFloat);
  // So it is with one channel or one pixel; the strides are then as contiguous() leaves them.
  const bool in_order = result.is_contiguous(torch::MemoryFormat::ChannelsLast);
  if (!in_order) result = torch::empty(sizes, torch::kFloat, torch::MemoryFormat::ChannelsLast);
  float* out = result.data_ptr<float>();
  for (const std::int64_t i : indices) {
    const float* sample = array.data_ptr<float>() + i * channels * pixels;
    if (in_order) {
      out = std::copy_n(sample, channels * pixels, out);
    } else {
      for (std::int64_t pixel = 0; pixel < pixels; ++pixel)
        for (std::int64_t c = 0; c < channels; ++c) *out++ = sample[c * pixels + pixel];
    }
  }
  return result;
}

}  // namespace

ImageBatches::ImageBatches(std::shared_ptr<const PixelSource> source, const std::vector<std::int32_t>& labels,
                           const Normalization& normalization, torch::Device device)
    : source_(std::move(source)),
      labels_(torch::tensor(labels, torch::kInt).to(torch::kLong).to(device)),
      normalizer_(Normalizer(normalization, device)) {}

ImageBatches::ImageBatches(std::vector<torch::Tensor> arrays)
    : arrays_(std::move(arrays)),
      labels_(torch::zeros({arrays_[0].size(0)}, torch::kLong).to(arrays_[0].device())) {
  for (torch::Tensor& array : arrays_) array = array.contiguous();
}

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
  for (const torch::Tensor& array : arrays_) {
    batch.inputs.push_back(array.device().is_cpu()
                               ? copied(array, part)
                               : array.index_select(0, index).contiguous(torch::MemoryFormat::ChannelsLast));
  }
  return batch;
}

void ImageBatches::take(const Pixels& pixels, Batch& batch) const {
  batch.inputs = {normalizer_->normalised(pixels.images)};
  if (pixels.maps.defined()) batch.labels = labels_of_maps(pixels.maps);
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
