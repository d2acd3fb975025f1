// jpeglib.h needs <cstdio> before it.
// clang-format off
#include <cstdio>
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

#include <csetjmp>

#include "base/try.h"
#include "data/codecs.h"
#include "data/orientation.h"

namespace concertina::data {
namespace {

// Every 8 x 8 block takes one bit or more of the file, in every kind of JPEG with Huffman codes; twice that
// is allowed.
constexpr double kLargestJpegRatio = 1024;

struct JpegFailure {
  jpeg_error_mgr manager;  // first, so that the library's pointer to it is a pointer to this
  std::jmp_buf jump;
  char message[JMSG_LENGTH_MAX];
};

[[noreturn]] void fail_jpeg(j_common_ptr jpeg) {
  auto* failure = reinterpret_cast<JpegFailure*>(jpeg->err);
  failure->manager.format_message(jpeg, failure->message);
  std::longjmp(failure->jump, 1);
}

// The library warns (level -1) of damage that it papers over with gray; such pixels must not become data.
// Bytes between two markers and unknown versions of headers touch no pixel.
void on_message(j_common_ptr jpeg, int level) {
  const int code = jpeg->err->msg_code;
  const bool harmless = code == JWRN_EXTRANEOUS_DATA || code == JWRN_JFIF_MAJOR || code == JWRN_ADOBE_XFORM;
  if (level < 0 && !harmless) fail_jpeg(jpeg);
}

struct JpegDecoder {
  JpegDecoder() {
    state.err = jpeg_std_error(&failure.manager);
    failure.manager.error_exit = fail_jpeg;
    failure.manager.emit_message = on_message;
  }
  ~JpegDecoder() { jpeg_destroy_decompress(&state); }
  JpegDecoder(const JpegDecoder&) = delete;
  JpegDecoder& operator=(const JpegDecoder&) = delete;

  jpeg_decompress_struct state{};
  JpegFailure failure{};
};

// A longjmp skips destructors, so below setjmp there are none: what owns memory belongs to the caller.

bool start(JpegDecoder& decoder, const unsigned char* bytes, std::size_t count) {
  if (setjmp(decoder.failure.jump) != 0) return false;
  jpeg_create_decompress(&decoder.state);
  jpeg_mem_src(&decoder.state, bytes, count);
  constexpr unsigned kWholeMarker = 0xffff;
  jpeg_save_markers(&decoder.state, JPEG_APP0 + 1, kWholeMarker);  // Exif
  jpeg_read_header(&decoder.state, TRUE);
  switch (decoder.state.jpeg_color_space) {
    case JCS_GRAYSCALE:
      decoder.state.out_color_space = JCS_GRAYSCALE;
      break;
    case JCS_CMYK:
    case JCS_YCCK:
      decoder.state.out_color_space = JCS_CMYK;
      break;
    default:
      decoder.state.out_color_space = JCS_RGB;
  }
  jpeg_calc_output_dimensions(&decoder.state);
  return true;
}

bool read_rows(JpegDecoder& decoder, std::uint8_t* pixels, std::size_t row_bytes) {
  if (setjmp(decoder.failure.jump) != 0) return false;
  jpeg_start_decompress(&decoder.state);
  while (decoder.state.output_scanline < decoder.state.output_height) {
    JSAMPROW row = pixels + decoder.state.output_scanline * row_bytes;
    jpeg_read_scanlines(&decoder.state, &row, 1);
  }
  jpeg_finish_decompress(&decoder.state);
  return true;
}

int orientation_of(const jpeg_decompress_struct& state) {
  for (const jpeg_marker_struct* marker = state.marker_list; marker != nullptr; marker = marker->next) {
    const int orientation =
        exif_orientation({reinterpret_cast<const char*>(marker->data), marker->data_length});
    if (orientation != 1) return orientation;
  }
  return 1;
}

// Adobe's programs, which write nearly all such files, store the inverse of each ink.
void cmyk_to_rgb(Image& image, bool inverted) {
  std::vector<std::uint8_t>& p = image.pixels;
  const std::size_t count = p.size() / 4;
  for (std::size_t i = 0; i < count; ++i) {
    const int black = inverted ? p[4 * i + 3] : 255 - p[4 * i + 3];
    for (std::size_t c = 0; c < 3; ++c) {
      const int ink = inverted ? p[4 * i + c] : 255 - p[4 * i + c];
      p[3 * i + c] = static_cast<std::uint8_t>((ink * black + 127) / 255);
    }
  }
  p.resize(3 * count);
  image.channels = 3;
}

}  // namespace

Result<Image> decode_jpeg(std::string_view bytes, std::string_view name) {
  JpegDecoder decoder;
  const auto& state = decoder.state;
  if (!start(decoder, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size())) {
    return decode_error(name, decoder.failure.message);
  }
  const int orientation = orientation_of(state);  // the end of decoding frees the markers
  RETURN_IF_ERROR(check_image_size(state.output_height, state.output_width, kLargestJpegRatio, bytes, name));
  Image image{static_cast<int>(state.output_height),
              static_cast<int>(state.output_width),
              state.output_components,
              {}};
  const std::size_t row_bytes =
      std::size_t{state.output_width} * static_cast<std::size_t>(state.output_components);
  image.pixels.resize(state.output_height * row_bytes);
  if (!read_rows(decoder, image.pixels.data(), row_bytes)) return decode_error(name, decoder.failure.message);
  if (image.channels == 4) cmyk_to_rgb(image, state.saw_Adobe_marker != FALSE);
  return turned_upright(std::move(image), orientation);
}

}  // namespace concertina::data
