#include "train/images/normalization.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace concertina::train {
namespace {

constexpr std::int64_t kBytes = 256;  // values of one

/// The values of one image or map, whose own memory has no gaps.
std::span<const std::uint8_t> values_at(const torch::Tensor& batch, std::int64_t i) {
  const auto size = static_cast<std::size_t>(batch.numel() / batch.size(0));
  return {batch.data_ptr<std::uint8_t>() + i * batch.stride(0), size};
}

}  // namespace

Normalization measure_normalization(const data::ImageSet& set) {
  const auto c = static_cast<std::size_t>(set.channels);
  std::vector<std::int64_t> sum(c, 0), squares(c, 0);
  for (std::size_t i = 0; i < set.pixels.size(); i += c) {
    for (std::size_t k = 0; k < c; ++k) {
      const std::int64_t v = set.pixels[i + k];
      sum[k] += v;
      squares[k] += v * v;
    }
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

Normalizer::Normalizer(const Normalization& normalization, torch::Device device)
    : mean_(torch::tensor(normalization.mean).to(device) * 255),
      stddev_(torch::tensor(normalization.stddev).to(device) * 255),
      bgr_(normalization.bgr) {
  if (!device.is_cpu()) return;
  const torch::Tensor values = torch::arange(kBytes, torch::kFloat).unsqueeze(1);
  const torch::Tensor table = ((values - mean_) / stddev_).contiguous();
  table_.assign(table.data_ptr<float>(), table.data_ptr<float>() + table.numel());
}

torch::Tensor Normalizer::normalised(const torch::Tensor& pixels) const {
  if (!pixels.device().is_cpu()) return normalised_by_ops(pixels);
  const auto channels = static_cast<std::size_t>(pixels.size(3));
  torch::Tensor images = torch::empty(pixels.sizes(), torch::kFloat);
  float* out = images.data_ptr<float>();
  for (std::int64_t i = 0; i < pixels.size(0); ++i) {
    const std::span<const std::uint8_t> bytes = values_at(pixels, i);
    for (std::size_t at = 0; at < bytes.size(); at += channels) {
      for (std::size_t c = 0; c < channels; ++c)
        *out++ = table_[bytes[at + (bgr_ ? channels - 1 - c : c)] * channels + c];
    }
  }
  return images.permute({0, 3, 1, 2});
}

torch::Tensor Normalizer::normalised_by_ops(const torch::Tensor& pixels) const {
  const torch::Tensor images = (bgr_ ? pixels.flip(3) : pixels).to(torch::kFloat);
  // NHWC in memory seen as NCHW: what LibTorch calls channels last.
  return ((images - mean_) / stddev_).permute({0, 3, 1, 2});
}

torch::Tensor labels_of_maps(const torch::Tensor& maps) {
  if (!maps.device().is_cpu()) return maps.to(torch::kLong);
  torch::Tensor labels = torch::empty(maps.sizes(), torch::kLong);
  auto* out = labels.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < maps.size(0); ++i) {
    const std::span<const std::uint8_t> bytes = values_at(maps, i);
    out = std::copy(bytes.begin(), bytes.end(), out);
  }
  return labels;
}

}  // namespace concertina::train
