#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include "concertina/result.h"

namespace concertina::data {

/// One image, 8 bits a value.
struct Image {
  int height = 0;
  int width = 0;
  int channels = 0;                  ///< 1: gray, 3: RGB
  std::vector<std::uint8_t> pixels;  ///< [h][w][c]
};

/// Decodes a JPEG or PNG file to gray or RGB. CMYK becomes RGB, palettes are looked up, 16 bits are rounded
/// to 8, alpha is dropped; a JPEG's orientation tag is applied, gamma and colour profiles are not. Fails on
/// whatever the decoder calls corrupt if it may touch pixels, even if it could go on, and above 64 Mpixel.
/// `name` stands in the errors.
Result<Image> decode_image(std::string_view bytes, std::string_view name);

Result<Image> read_image(const std::filesystem::path& path);

/// A gray image's value in all three channels; an RGB image as it is.
Image to_rgb(Image image);

/// An RGB image's luma (ITU-R 601, rounded as Pillow's convert("L")); a gray image as it is.
Image to_gray(Image image);

}  // namespace concertina::data
