#include "base/base64.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "base/page_memory.h"

namespace concertina {
namespace {

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The digit of each character; 64 for those that are none.
constexpr std::array<std::uint8_t, 256> kValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(64);
  for (std::size_t i = 0; i < kDigits.size(); ++i) {
    values[static_cast<unsigned char>(kDigits[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}();

std::uint32_t byte_at(std::string_view bytes, std::size_t i) {
  return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U;
}

}  // namespace

std::string to_base64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::uint32_t group = byte_at(bytes, i) << 16 | byte_at(bytes, i + 1) << 8 | byte_at(bytes, i + 2);
    for (const int shift : {18, 12, 6, 0}) text += kDigits[group >> shift & 63];
  }
  const std::size_t padding = (3 - bytes.size() % 3) % 3;
  text.replace(text.size() - padding, padding, padding, '=');
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  const std::string_view digits = text.substr(0, text.find('='));
  if (text.size() - digits.size() > 2 || text.find_first_not_of('=', digits.size()) != text.npos) {
    return std::nullopt;
  }
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  std::uint32_t group = 0;
  int bits = 0;
  for (const char c : digits) {
    const std::uint32_t digit = kValues[static_cast<unsigned char>(c)];
    if (digit == 64) return std::nullopt;
    group = (group << 6 | digit) & 0xffffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>(group >> bits & 255);
  }
  if ((group & ((1U << bits) - 1)) != 0) return std::nullopt;  // the unused bits of the last digit
  return bytes;
}

std::string to_little_endian(std::span<const float> values) {
  std::string bytes;
  bytes.resize(values.size() * 4);
  char* out = bytes.data();
  for (const float value : values) {
    const auto word = std::bit_cast<std::uint32_t>(value);
    for (const int shift : {0, 8, 16, 24}) *out++ = static_cast<char>(word >> shift & 255);
  }
  return bytes;
}

std::vector<float> from_little_endian(std::string_view bytes) {
  std::vector<float> values;
  values.reserve(bytes.size() / 4);  // and no zeros first: new memory is touched once
  want_large_pages(values.data(), bytes.size());
  std::array<float, 1024> block{};
  while (bytes.size() >= 4) {
    const std::size_t count = std::min(block.size(), bytes.size() / 4);
    std::memcpy(block.data(), bytes.data(), 4 * count);
    if constexpr (std::endian::native == std::endian::big) {
      for (float& value : block)
        value = std::bit_cast<float>(__builtin_bswap32(std::bit_cast<std::uint32_t>(value)));
    }
    values.insert(values.end(), block.begin(), block.begin() + static_cast<std::ptrdiff_t>(count));
    bytes.remove_prefix(4 * count);
  }
  return values;
}

}  // namespace concertina
