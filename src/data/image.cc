#include "data/image.h"

#include <fmt/format.h>

#include "base/file.h"
#include "base/try.h"
#include "data/codecs.h"

namespace concertina::data {

constexpr std::int64_t kMaxPixels = std::int64_t{64} << 20;

Status check_image_size(std::int64_t height, std::int64_t width, double largest_ratio, std::string_view bytes,
                        std::string_view name) {
  if (height * width > kMaxPixels) {
    return Error{
        fmt::format("'{}' is an image of {} x {} pixels, above the limit of {} Mpixel; make it smaller", name,
                    height, width, kMaxPixels >> 20)};
  }
  if (static_cast<double>(height * width) > largest_ratio * static_cast<double>(bytes.size())) {
    return decode_error(name,
                        fmt::format("{} bytes cannot hold {} x {} pixels", bytes.size(), height, width));
  }
  return {};
}

Error decode_error(std::string_view name, std::string_view reason) {
  return Error{fmt::format("'{}' is a damaged image ({}); replace or remove it", name, reason)};
}

bool is_png(std::string_view bytes) {
  return bytes.starts_with("\x89PNG");
}

Result<Image> decode_image(std::string_view bytes, std::string_view name) {
  if (bytes.starts_with("\xff\xd8")) return decode_jpeg(bytes, name);
  if (is_png(bytes)) return decode_png(bytes, name);
  return Error{fmt::format("'{}' is neither a JPEG nor a PNG image; convert or remove it", name)};
}

Result<Image> read_image(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(const std::string bytes, read_file(path));
  return decode_image(bytes, path.string());
}

Image to_rgb(Image image) {
  if (image.channels == 3) return image;
  std::vector<std::uint8_t> rgb;
  rgb.reserve(3 * image.pixels.size());
  for (const std::uint8_t gray : image.pixels) rgb.insert(rgb.end(), 3, gray);
  return {image.height, image.width, 3, std::move(rgb)};
}

Image to_gray(Image image) {
  if (image.channels == 1) return image;
  std::vector<std::uint8_t> gray;
  gray.reserve(image.pixels.size() / 3);
  for (std::size_t i = 0; i + 2 < image.pixels.size(); i += 3) {
    const std::uint8_t* p = image.pixels.data() + i;
    gray.push_back(static_cast<std::uint8_t>((p[0] * 19595 + p[1] * 38470 + p[2] * 7471 + 0x8000) >> 16));
  }
  return {image.height, image.width, 1, std::move(gray)};
}

}  // namespace concertina::data
