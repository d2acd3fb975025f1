#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "concertina/result.h"
#include "data/image_set.h"
#include "train/images/pixel_source.h"
#include "train/torch.h"

namespace concertina::train {

/// Images of one batch, normalised, and their labels.
struct Batch {
  torch::Tensor images;  ///< [n][c][h][w] fp32, channels last
  torch::Tensor labels;  ///< [n] int64
};

/// Per channel, for pixels scaled to 0..1.
struct Normalization {
  std::vector<float> mean, stddev;
};
Normalization measure_normalization(const data::ImageSet& set);

/// A data set, served in batches.
class ImageBatches {
 public:
  /// All in the device's memory.
  ImageBatches(const data::ImageSet& set, const Normalization& normalization, torch::Device device)
      : ImageBatches(pixels_in_memory(set, device), set.labels, normalization, device) {}

  /// `labels`: of each image of the source, whose pixels are on the device.
  ImageBatches(std::shared_ptr<const PixelSource> source, const std::vector<std::int32_t>& labels,
               const Normalization& normalization, torch::Device device);

  std::int64_t size() const { return labels_.size(0); }

  /// The images at `indices`.
  Batch batch(std::span<const std::int64_t> indices) const;

  /// The same, augmented; `key` (with each image's index) decides how, so a batch can be made again.
  Batch augmented(std::span<const std::int64_t> indices, const Augmentation& augmentation,
                  std::uint64_t key) const;

  /// Fails if an image of a batch so far could not be read; it was black. To be asked before results are
  /// kept.
  Status status() const { return source_->status(); }

 private:
  Batch normalized(const torch::Tensor& images, std::span<const std::int64_t> indices) const;

  std::shared_ptr<const PixelSource> source_;
  torch::Tensor labels_;
  torch::Tensor mean_, stddev_;  // [c], in pixel values
};

/// The indices of the `number`-th batch when `indices` are taken in the given order of their places.
std::vector<std::int64_t> batch_indices(std::span<const std::int64_t> indices,
                                        std::span<const std::int64_t> order, std::int64_t number, int batch);

}  // namespace concertina::train
