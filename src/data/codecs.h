#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "concertina/result.h"
#include "data/image.h"

namespace concertina::data {

// The decoders behind decode_image(). Both keep its promises.
Result<Image> decode_jpeg(std::string_view bytes, std::string_view name);
Result<Image> decode_png(std::string_view bytes, std::string_view name);
bool is_png(std::string_view bytes);

/// Behind read_label_map(): one number a pixel.
Result<Image> decode_label_map(std::string_view bytes, std::string_view name);

/// Checks a size read from a header before memory is spent on it: `bytes` of file can hold `largest_ratio`
/// pixels each.
Status check_image_size(std::int64_t height, std::int64_t width, double largest_ratio, std::string_view bytes,
                        std::string_view name);

/// "the file is damaged", in the decoder's words.
Error decode_error(std::string_view name, std::string_view reason);

/// Inflates gzip data up to `limit` bytes of output; what would follow is not inflated, so a small file
/// cannot fill the memory. The checksum is verified when the data ends before the limit. `name` stands in the
/// errors.
Result<std::string> gunzip(std::string_view bytes, std::size_t limit, std::string_view name);

}  // namespace concertina::data
