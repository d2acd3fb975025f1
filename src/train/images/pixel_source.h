#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "concertina/result.h"
#include "data/image_files.h"
#include "data/image_set.h"
#include "train/images/augmentation.h"
#include "train/torch.h"

namespace concertina::train {

/// Some images, 8 bits a value.
struct Pixels {
  torch::Tensor images;  ///< [n][h][w][c]
  torch::Tensor maps;    ///< [n][h][w] label maps; undefined if there are none
};

/// Where the pixels of a data set come from. Two threads may ask at once.
class PixelSource {
 public:
  virtual ~PixelSource() = default;

  /// The images at `indices` as they are evaluated.
  virtual Pixels plain(std::span<const std::int64_t> indices) const = 0;

  /// The same for training; `key` (with each image's index) decides how, so a batch can be made again.
  virtual Pixels augmented(std::span<const std::int64_t> indices, const Augmentation& augmentation,
                           std::uint64_t key) const = 0;

  /// Whether every image so far could be read.
  virtual Status status() const { return {}; }
};

/// All in the device's memory; cropped out of zeros around, which have no class in a label map. On the CPU
/// the calling thread does everything alone, because the others train meanwhile.
std::unique_ptr<PixelSource> pixels_in_memory(data::ImageSet set, torch::Device device);

/// The same by LibTorch's ops, which any device has. Gives the same pixels.
std::unique_ptr<PixelSource> pixels_on_device(data::ImageSet set, torch::Device device);

/// How images of any size become squares.
struct Squares {
  int size = 224;    ///< side of the square
  int resize = 256;  ///< evaluation: short side before the centre crop; at least `size`
  int channels = 3;  ///< 1: gray
};

/// JPEG and PNG files that stay on the disk and are decoded for each batch, by `threads` threads, as
/// torchvision does it for ImageNet: for training a random box scaled to the square (data/crop.h) and, if
/// flips are asked for, half of the images mirrored; for evaluation the short side scaled and the middle
/// taken. No padding. Label maps go with their images; `black_and_white` ones are numbered. A file that
/// cannot be read is black, and status() says so from then on.
std::unique_ptr<PixelSource> pixels_on_disk(data::ImageFiles files, bool black_and_white,
                                            const Squares& squares, int threads, torch::Device device);

}  // namespace concertina::train
