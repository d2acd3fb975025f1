#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "data/image.h"

namespace concertina::testing {

// Pixels that differ from place to place but are smooth, so that JPEG keeps them nearly.
data::Image smooth_image(int height, int width, int channels, int seed = 0);

// The message of a failure, for tests that expect one.
template <typename T>
std::string error_of(const Result<T>& result) {
  return result ? "no error" : result.error().message;
}

std::string to_gzip(std::string_view bytes);
std::string to_jpeg(const data::Image& image, int quality = 95);  // 4 channels: CMYK as Adobe writes it
std::string to_png(const data::Image& image);                     // 2 and 4 channels: with alpha

// A PNG of any kind; `rows` as the file stores them, palette entry i is (i, 2i, 3i).
std::string to_png(int height, int width, int color_type, int bit_depth,
                   const std::vector<std::uint8_t>& rows, bool interlaced = false);

std::string idx_bytes(const std::vector<std::uint32_t>& sizes, std::string_view payload);

}  // namespace concertina::testing
