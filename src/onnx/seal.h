#pragma once

#include <string>
#include <string_view>

namespace concertina {

/// Ends a serialised ONNX model with one more metadata entry, "concertina.checksum", whose value is the Hash
/// (base/hash.h) of all bytes before the entry as 16 lower-case hexadecimal digits. (Appending a field to a
/// message is protobuf's way of adding to a list, so the result is an ONNX model too.)
std::string seal(std::string model);

/// True if `bytes` ends with the seal of what comes before it.
bool is_sealed(std::string_view bytes);

}  // namespace concertina
