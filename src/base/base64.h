#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace concertina {

/// Base64 of RFC 4648 with padding.
std::string to_base64(std::string_view bytes);

/// Nothing if `text` is no such encoding.
std::optional<std::string> from_base64(std::string_view text);

/// IEEE 754 single precision, least significant byte first, on every machine.
std::string to_little_endian(std::span<const float> values);

/// Precondition: bytes.size() is a multiple of 4.
std::vector<float> from_little_endian(std::string_view bytes);

}  // namespace concertina
