#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "concertina/result.h"
#include "data/image_set.h"
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
Normalization measure_normalization(const ImageSet& set);

/// Random changes to training images.
struct Augmentation {
  int pad = 0;        ///< crop at a random place out of `pad` pixels of zeros around
  bool flip = false;  ///< mirror half of the images
};

/// An image set on the device, served in batches.
class ImageBatches {
 public:
  ImageBatches(const ImageSet& set, const Normalization& normalization, torch::Device device);

  std::int64_t size() const { return labels_.size(0); }

  /// The images at `indices`.
  Batch batch(std::span<const std::int64_t> indices) const;

  /// The same, augmented; `key` (with each image's index) decides how, so a batch can be made again.
  Batch augmented(std::span<const std::int64_t> indices, const Augmentation& augmentation,
                  std::uint64_t key) const;

 private:
  torch::Tensor normalized(const torch::Tensor& images) const;

  torch::Tensor images_;  // [n][h][w][c] uint8
  torch::Tensor labels_;
  torch::Tensor mean_, stddev_;  // [c], in pixel values
};

/// The indices of the `number`-th batch when `indices` are taken in the given order of their places.
std::vector<std::int64_t> batch_indices(std::span<const std::int64_t> indices,
                                        std::span<const std::int64_t> order, std::int64_t number, int batch);

}  // namespace concertina::train
