#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <span>

namespace concertina {

/// A fixed number of floats, zeroed, on a cache-line boundary; the widest vector loads are aligned in it.
class AlignedBuffer {
 public:
  static constexpr std::size_t kAlignment = 64;

  AlignedBuffer() = default;
  explicit AlignedBuffer(std::size_t count)
      : data_(new (std::align_val_t{kAlignment}) float[count]()), count_(count) {}

  float* data() { return data_.get(); }
  const float* data() const { return data_.get(); }
  std::size_t size() const { return count_; }
  std::span<float> span() { return {data(), count_}; }
  std::span<const float> span() const { return {data(), count_}; }

 private:
  struct Delete {
    void operator()(float* p) const { ::operator delete[](p, std::align_val_t{kAlignment}); }
  };
  std::unique_ptr<float[], Delete> data_;
  std::size_t count_ = 0;
};

}  // namespace concertina
