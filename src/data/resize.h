#pragma once

#include "data/image.h"

namespace concertina::data {

/// Bilinear with antialiasing, bit for bit as Pillow's Image.resize(..., BILINEAR): a triangle as wide as the
/// step between output pixels (never narrower than one input pixel), rows first, 8 bits in between.
/// Precondition: height, width >= 1; the image is not empty.
Image resize_bilinear(const Image& image, int height, int width);

/// The shorter side scaled to `shorter`, the other to as many pixels as fit whole, then the middle size x
/// size, as torchvision's Resize(shorter) and CenterCrop(size). An image that needs neither is unchanged.
/// Precondition: 1 <= size <= shorter; the image is not empty.
Image fit_centre(Image image, int shorter, int size);

/// The same with shorter = size.
Image fit_square(Image image, int size);

}  // namespace concertina::data
