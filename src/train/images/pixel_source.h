#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "concertina/result.h"
#include "data/image_set.h"
#include "train/torch.h"

namespace concertina::train {

/// Random changes to training images.
struct Augmentation {
  int pad = 0;        ///< crop at a random place out of `pad` pixels of zeros around
  bool flip = false;  ///< mirror half of the images
};

/// Where the pixels of a data set come from: [n][h][w][c], 8 bits a value. Not for two threads at once.
class PixelSource {
 public:
  virtual ~PixelSource() = default;

  /// The images at `indices` as they are evaluated.
  virtual torch::Tensor plain(std::span<const std::int64_t> indices) const = 0;

  /// The same for training; `key` (with each image's index) decides how, so a batch can be made again.
  virtual torch::Tensor augmented(std::span<const std::int64_t> indices, const Augmentation& augmentation,
                                  std::uint64_t key) const = 0;

  /// Whether every image so far could be read.
  virtual Status status() const { return {}; }
};

/// All in the device's memory; cropped out of zeros around.
std::unique_ptr<PixelSource> pixels_in_memory(const data::ImageSet& set, torch::Device device);

/// How images of any size become squares.
struct Squares {
  int size = 224;    ///< side of the square
  int resize = 256;  ///< evaluation: short side before the centre crop; at least `size`
};

/// JPEG and PNG files that stay on the disk and are decoded for each batch, by `threads` threads, as
/// torchvision does it for ImageNet: for training a random box scaled to the square (data/crop.h) and, if
/// flips are asked for, half of the images mirrored; for evaluation the short side scaled and the middle
/// taken. No padding. RGB. A file that cannot be read is black, and status() says so from then on.
std::unique_ptr<PixelSource> pixels_on_disk(std::vector<std::filesystem::path> files, const Squares& squares,
                                            int threads, torch::Device device);

}  // namespace concertina::train
