#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "train/images/pixel_source.h"

namespace concertina::train {

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
