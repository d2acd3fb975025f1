#include "data/orientation.h"

#include <cstdint>
#include <utility>

namespace concertina::data {
namespace {

/// Whole numbers of a TIFF file, in its byte order.
class TiffBytes {
 public:
  explicit TiffBytes(std::string_view bytes) : bytes_(bytes), little_(bytes.starts_with("II")) {}

  /// 0 beyond the end.
  std::uint32_t number(std::size_t at, std::size_t size) const {
    if (at > bytes_.size() || size > bytes_.size() - at) return 0;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t from = little_ ? at + size - 1 - i : at + i;
      value = value << 8 | static_cast<unsigned char>(bytes_[from]);
    }
    return value;
  }

 private:
  std::string_view bytes_;
  bool little_;
};

}  // namespace

int exif_orientation(std::string_view block) {
  constexpr std::string_view kHeader("Exif\0\0", 6);
  constexpr std::size_t kEntry = 12;
  constexpr std::uint32_t kOrientation = 274;
  if (!block.starts_with(kHeader)) return 1;
  const TiffBytes tiff(block.substr(kHeader.size()));
  const std::size_t directory = tiff.number(4, 4);
  const std::size_t entries = tiff.number(directory, 2);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t at = directory + 2 + i * kEntry;
    if (tiff.number(at, 2) != kOrientation) continue;
    const std::uint32_t orientation = tiff.number(at + 8, 2);
    return orientation >= 1 && orientation <= 8 ? static_cast<int>(orientation) : 1;
  }
  return 1;
}

// Orientations 5 to 8 have rows and columns exchanged.
Image turned_upright(Image image, int orientation) {
  if (orientation == 1) return image;
  const bool exchanged = orientation >= 5;
  const bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool from_below = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  Image turned{
      exchanged ? image.width : image.height, exchanged ? image.height : image.width, image.channels, {}};
  turned.pixels.reserve(image.pixels.size());
  for (int y = 0; y < turned.height; ++y) {
    for (int x = 0; x < turned.width; ++x) {
      const int row = exchanged ? x : y, column = exchanged ? y : x;
      const int from_y = from_below ? image.height - 1 - row : row;
      const int from_x = from_right ? image.width - 1 - column : column;
      const auto* pixel =
          image.pixels.data() + (static_cast<std::size_t>(from_y) * static_cast<std::size_t>(image.width) +
                                 static_cast<std::size_t>(from_x)) *
                                    static_cast<std::size_t>(image.channels);
      turned.pixels.insert(turned.pixels.end(), pixel, pixel + image.channels);
    }
  }
  return turned;
}

}  // namespace concertina::data
