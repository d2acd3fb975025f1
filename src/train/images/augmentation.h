#pragma once

#include <cstdint>

namespace concertina::train {

/// Random changes to training images.
struct Augmentation {
  int pad = 0;        ///< crop at a random place out of `pad` pixels of zeros around
  bool flip = false;  ///< mirror half of the images
};

/// Where an image is cropped.
struct Placement {
  int top = 0, left = 0;  ///< of the crop, in the image; below 0: in what is around it
  bool mirrored = false;  ///< afterwards
};

/// A function of its arguments: the crop of image `index` with the random numbers of `key`.
Placement random_placement(std::int64_t index, const Augmentation& augmentation, std::uint64_t key);

}  // namespace concertina::train
