#pragma once

#include <cstdint>
#include <vector>

#include "data/image_set.h"
#include "train/torch.h"

namespace concertina::train {

/// Per channel, for pixels scaled to 0..1.
struct Normalization {
  std::vector<float> mean, stddev;
  bool bgr = false;  ///< the channels, and these, are blue, green, red
};
Normalization measure_normalization(const data::ImageSet& set);

/// Turns pixels into what a network sees of them.
class Normalizer {
 public:
  Normalizer(const Normalization& normalization, torch::Device device);

  /// Bytes [n][h][w][c] on the device become fp32 [n][c][h][w], channels last. Of the CPU's cores it uses the
  /// calling thread's alone, because the others train meanwhile.
  torch::Tensor normalised(const torch::Tensor& pixels) const;

  /// The same by LibTorch's ops, which any device has. To the bit what normalised() gives.
  torch::Tensor normalised_by_ops(const torch::Tensor& pixels) const;

 private:
  torch::Tensor mean_, stddev_;  ///< [c], in pixel values
  bool bgr_;
  std::vector<float> table_;  ///< [256][c]: what each byte becomes in each channel; for the CPU only
};

/// Label maps [n][h][w] as the labels of a batch, int64. On the CPU by the calling thread alone.
torch::Tensor labels_of_maps(const torch::Tensor& maps);

}  // namespace concertina::train
