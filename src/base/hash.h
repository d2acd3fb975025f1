#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace concertina {

/// FNV-1a, 64 bits (Fowler, Noll, Vo): recognises changed content; no defence against somebody who wants a
/// collision.
class Hash {
 public:
  Hash& add(std::span<const std::uint8_t> bytes) {
    for (const std::uint8_t byte : bytes) value_ = (value_ ^ byte) * 0x100000001b3u;
    return *this;
  }
  Hash& add(std::string_view text) {
    return add(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325u;
};

}  // namespace concertina
