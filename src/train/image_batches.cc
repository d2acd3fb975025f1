#include "train/image_batches.h"

#include <cmath>

#include "base/random.h"

namespace concertina::train {
namespace {

torch::Tensor index_tensor(const std::vector<std::int64_t>& values, torch::Device device) {
  return torch::tensor(values, torch::kLong).to(device);
}

}  // namespace

Normalization measure_normalization(const ImageSet& set) {
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

ImageBatches::ImageBatches(const ImageSet& set, const Normalization& normalization, torch::Device device) {
  const auto n = static_cast<std::int64_t>(set.labels.size());
  auto* pixels = const_cast<std::uint8_t*>(set.pixels.data());  // copied below, never written
  images_ =
      torch::from_blob(pixels, {n, set.height, set.width, set.channels}, torch::kByte).clone().to(device);
  auto* labels = const_cast<std::int32_t*>(set.labels.data());
  labels_ = torch::from_blob(labels, {n}, torch::kInt).to(torch::kLong).to(device);
  mean_ = torch::tensor(normalization.mean).to(device) * 255;
  stddev_ = torch::tensor(normalization.stddev).to(device) * 255;
}

torch::Tensor ImageBatches::normalized(const torch::Tensor& images) const {
  // NHWC in memory seen as NCHW: what LibTorch calls channels last.
  return ((images.to(torch::kFloat) - mean_) / stddev_).permute({0, 3, 1, 2});
}

Batch ImageBatches::batch(std::span<const std::int64_t> indices) const {
  const torch::Tensor index = index_tensor({indices.begin(), indices.end()}, images_.device());
  return {normalized(images_.index_select(0, index)), labels_.index_select(0, index)};
}

Batch ImageBatches::augmented(std::span<const std::int64_t> indices, const Augmentation& augmentation,
                              std::uint64_t key) const {
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
  const torch::Tensor index = index_tensor({indices.begin(), indices.end()}, device);
  const torch::Tensor padded =
      torch::constant_pad_nd(images_.index_select(0, index), {0, 0, pad, pad, pad, pad});

  const torch::Tensor y = torch::arange(height, torch::kLong).to(device);
  const torch::Tensor x = torch::arange(width, torch::kLong).to(device);
  const torch::Tensor flip = index_tensor(mirrored, device).unsqueeze(1);
  const torch::Tensor rows = index_tensor(top, device).unsqueeze(1) + y;  // [n][h]
  const torch::Tensor columns =
      index_tensor(left, device).unsqueeze(1) + (1 - flip) * x + flip * x.flip(0);  // [n][w]
  const torch::Tensor image = torch::arange(index.size(0), torch::kLong).to(device).view({-1, 1, 1});
  const torch::Tensor crops = padded.index({image, rows.unsqueeze(2), columns.unsqueeze(1)});
  return {normalized(crops), labels_.index_select(0, index)};
}

std::vector<std::int64_t> batch_indices(std::span<const std::int64_t> indices,
                                        std::span<const std::int64_t> order, std::int64_t number, int batch) {
  std::vector<std::int64_t> chosen;
  for (std::int64_t k = number * batch; k < (number + 1) * batch; ++k) {
    chosen.push_back(indices[static_cast<std::size_t>(order[static_cast<std::size_t>(k)])]);
  }
  return chosen;
}

}  // namespace concertina::train
