#pragma once

#include "data/image.h"

namespace concertina {

/// Bilinear with antialiasing, bit for bit as Pillow's Image.resize(..., BILINEAR): a triangle as wide as the
/// step between output pixels (never narrower than one input pixel), rows first, 8 bits in between.
/// Precondition: height, width >= 1; the image is not empty.
Image resize_bilinear(const Image& image, int height, int width);

/// The shorter side scaled to `size`, then the middle size x size, as torchvision's Resize(size) and
/// CenterCrop(size). An image that has this size already is unchanged. Precondition: size >= 1; the image is
/// not empty.
Image fit_square(Image image, int size);

}  // namespace concertina
