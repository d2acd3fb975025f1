#pragma once

#include <string>
#include <string_view>

namespace concertina::onnx {

/// The XXH3 (64 bits) of the bytes as 16 lower-case hexadecimal digits.
std::string checksum(std::string_view bytes);

}  // namespace concertina::onnx
