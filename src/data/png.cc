#include <fmt/format.h>
#include <png.h>

#include <csetjmp>
#include <cstdio>
#include <cstring>

#include "base/try.h"
#include "data/codecs.h"

namespace concertina::data {
namespace {

// Deflate cannot shrink by more than 1032:1, and a byte holds 8 pixels at most.
constexpr double kLargestPngRatio = 8 * 1032;

struct PngFailure {
  char message[128] = "no memory";
};

[[noreturn]] void fail_png(png_structp png, png_const_charp message) {
  auto* failure = static_cast<PngFailure*>(png_get_error_ptr(png));
  std::snprintf(failure->message, sizeof failure->message, "%s", message);
  png_longjmp(png, 1);
}

// Warnings are about colour profiles and comments; damage to pixels is an error in libpng.
void ignore_warning(png_structp, png_const_charp) {}

struct PngSource {
  const char* at;
  std::size_t left;
};

void read_source(png_structp png, png_bytep out, std::size_t count) {
  auto* source = static_cast<PngSource*>(png_get_io_ptr(png));
  if (count > source->left) png_error(png, "the file ends too early");
  std::memcpy(out, source->at, count);
  source->at += count;
  source->left -= count;
}

struct PngDecoder {
  explicit PngDecoder(std::string_view bytes) : source{bytes.data(), bytes.size()} {
    png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &failure, fail_png, ignore_warning);
    if (png != nullptr) info = png_create_info_struct(png);
  }
  ~PngDecoder() { png_destroy_read_struct(&png, &info, nullptr); }
  PngDecoder(const PngDecoder&) = delete;
  PngDecoder& operator=(const PngDecoder&) = delete;

  PngSource source;
  PngFailure failure;
  png_structp png = nullptr;
  png_infop info = nullptr;
};

// A longjmp skips destructors, so below setjmp there are none: what owns memory belongs to the caller.

/// What the numbers of a file are taken for.
enum class Meaning { colours, classes };

bool start(PngDecoder& decoder, Meaning meaning) {
  const png_structp png = decoder.png;
  if (decoder.info == nullptr || setjmp(png_jmpbuf(png)) != 0) return false;
  png_set_read_fn(png, &decoder.source, read_source);
  png_read_info(png, decoder.info);
  if (meaning == Meaning::classes) {
    png_set_packing(png);
  } else {
    png_set_palette_to_rgb(png);
    png_set_expand_gray_1_2_4_to_8(png);
    png_set_scale_16(png);
  }
  png_set_strip_alpha(png);
  png_set_interlace_handling(png);
  return true;
}

bool set_output(PngDecoder& decoder) {
  if (setjmp(png_jmpbuf(decoder.png)) != 0) return false;
  png_read_update_info(decoder.png, decoder.info);
  return true;
}

bool read_rows(PngDecoder& decoder, png_bytepp rows) {
  if (setjmp(png_jmpbuf(decoder.png)) != 0) return false;
  png_read_image(decoder.png, rows);
  png_read_end(decoder.png, nullptr);
  return true;
}

/// `image`: what is decoded; with 16 bits a value, the higher byte comes first.
Status decode(PngDecoder& decoder, Meaning meaning, std::string_view bytes, std::string_view name,
              Image& image) {
  if (!start(decoder, meaning)) return decode_error(name, decoder.failure.message);
  const std::size_t height = png_get_image_height(decoder.png, decoder.info);
  const std::size_t width = png_get_image_width(decoder.png, decoder.info);
  RETURN_IF_ERROR(check_image_size(static_cast<std::int64_t>(height), static_cast<std::int64_t>(width),
                                   kLargestPngRatio, bytes, name));
  if (!set_output(decoder)) return decode_error(name, decoder.failure.message);
  const std::size_t row_bytes = png_get_rowbytes(decoder.png, decoder.info);
  image = {
      static_cast<int>(height), static_cast<int>(width), png_get_channels(decoder.png, decoder.info), {}};
  image.pixels.resize(height * row_bytes);
  std::vector<png_bytep> rows(height);
  for (std::size_t y = 0; y < height; ++y) rows[y] = image.pixels.data() + y * row_bytes;
  if (!read_rows(decoder, rows.data())) return decode_error(name, decoder.failure.message);
  return {};
}

/// Of equal values, one after the other, keeps the last.
bool keep_one_of(std::size_t values, std::vector<std::uint8_t>& pixels, bool zero_before) {
  const std::size_t count = pixels.size() / values;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t last = pixels[i * values + values - 1];
    for (std::size_t k = 0; k + 1 < values; ++k) {
      if (pixels[i * values + k] != (zero_before ? 0 : last)) return false;
    }
    pixels[i] = last;
  }
  pixels.resize(count);
  return true;
}

}  // namespace

Result<Image> decode_png(std::string_view bytes, std::string_view name) {
  PngDecoder decoder(bytes);
  Image image;
  RETURN_IF_ERROR(decode(decoder, Meaning::colours, bytes, name, image));
  return image;
}

Result<Image> decode_label_map(std::string_view bytes, std::string_view name) {
  if (!is_png(bytes))
    return Error{
        fmt::format("the label map '{}' is no PNG, and only a PNG keeps numbers as they are; "
                    "save it as one, gray or with a palette",
                    name)};
  PngDecoder decoder(bytes);
  Image image;
  RETURN_IF_ERROR(decode(decoder, Meaning::classes, bytes, name, image));
  if (png_get_bit_depth(decoder.png, decoder.info) == 16 && !keep_one_of(2, image.pixels, true))
    return Error{
        fmt::format("the label map '{}' has numbers above 255; there are at most 255 classes", name)};
  if (!keep_one_of(static_cast<std::size_t>(image.channels), image.pixels, false)) {
    return Error{
        fmt::format("the label map '{}' is a picture in colours; save the numbers of the classes, "
                    "gray or as indices of a palette",
                    name)};
  }
  image.channels = 1;
  return image;
}

}  // namespace concertina::data
