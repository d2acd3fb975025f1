#pragma once

#include <string_view>

#include "data/image.h"

namespace concertina::data {

/// How a camera was held, out of a JPEG file's Exif block: 1 (upright) to 8, as TIFF's tag 274 has it. 1 if
/// the block is something else, damaged, or does not say.
int exif_orientation(std::string_view block);

/// The image as it was seen. Precondition: 1 <= orientation <= 8.
Image turned_upright(Image image, int orientation);

}  // namespace concertina::data
