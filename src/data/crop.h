#pragma once

#include "base/random.h"
#include "data/image.h"

namespace concertina::data {

/// A part of an image, in pixels.
struct Box {
  int top = 0;
  int left = 0;
  int height = 0;
  int width = 0;

  friend bool operator==(const Box&, const Box&) = default;
};

/// A random part as torchvision's RandomResizedCrop draws it, with scale 0.08 .. 1 and ratio 3/4 .. 4/3: an
/// area uniform in that share of the image's, a ratio of width to height uniform in its logarithm, and a
/// place uniform among those where the box lies in the image. Of ten tries the first that fits; if none does,
/// the largest box in the middle whose ratio is allowed. A function of `random`. Precondition: the image is
/// not empty.
Box random_box(int height, int width, const CounterRandom& random);

/// That part. Precondition: it lies in the image.
Image crop(const Image& image, const Box& box);

/// Left and right exchanged.
Image mirror(Image image);

/// Bilinear with antialiasing, bit for bit as Pillow's Image.resize(..., BILINEAR): a triangle as wide as the
/// step between output pixels (never narrower than one input pixel), rows first, 8 bits in between.
/// Precondition: height, width >= 1; the image is not empty.
Image resize_bilinear(const Image& image, int height, int width);

/// The shorter side scaled to `shorter`, the other to as many pixels as fit whole, then the middle size x
/// size, as torchvision's Resize(shorter) and CenterCrop(size). An image that needs neither is unchanged.
/// Precondition: 1 <= size <= shorter; the image is not empty.
Image fit_centre(Image image, int shorter, int size);

/// The same of a label map, whose numbers are not mixed: each pixel has that of the nearest one.
Image fit_centre_nearest(const Image& map, int shorter, int size);

/// Each pixel that of the nearest one. Precondition: height, width >= 1; the image is not empty, of one
/// channel.
Image resize_nearest(const Image& map, int height, int width);

/// The same with shorter = size.
Image fit_square(Image image, int size);

}  // namespace concertina::data
