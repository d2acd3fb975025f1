#pragma once

#include <cstddef>
#include <new>
#include <span>

#include "base/page_memory.h"

namespace concertina {

/// A fixed number of floats, zeroed, on a cache-line boundary; the widest vector loads are aligned in it.
class AlignedBuffer {
 public:
  static constexpr std::size_t kAlignment = PageMemory::kAlignment;

  AlignedBuffer() = default;
  explicit AlignedBuffer(std::size_t count) : memory_(bytes_of(count)) {}

  float* data() { return static_cast<float*>(memory_.data()); }
  const float* data() const { return static_cast<const float*>(memory_.data()); }
  std::size_t size() const { return memory_.size() / sizeof(float); }
  std::span<float> span() { return {data(), size()}; }
  std::span<const float> span() const { return {data(), size()}; }

 private:
  static std::size_t bytes_of(std::size_t count) {
    if (count > static_cast<std::size_t>(-1) / sizeof(float)) throw std::bad_array_new_length();
    return count * sizeof(float);
  }

  PageMemory memory_;
};

/// So many floats and more, in whole cache lines: what follows them in an AlignedBuffer begins on one.
template <typename Integer>
constexpr Integer in_lines(Integer floats) {
  constexpr auto kLine = static_cast<Integer>(AlignedBuffer::kAlignment / sizeof(float));
  return (floats + kLine - 1) / kLine * kLine;
}

}  // namespace concertina
