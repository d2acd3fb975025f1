#pragma once

#include <cstddef>
#include <utility>

namespace concertina {

/// Asks the system for pages of 2 MiB in memory that nobody has touched yet, where whole ones lie in it.
void want_large_pages(void* begin, std::size_t bytes);

/// Zeroed memory on a cache-line boundary. From 1 MiB on it comes straight from the system, in pages of 2 MiB
/// where the system grants them: touching new memory costs more than filling it, and these take one fault
/// where small pages take 512.
class PageMemory {
 public:
  static constexpr std::size_t kAlignment = 64;

  PageMemory() = default;
  /// Throws std::bad_alloc, like `new`.
  explicit PageMemory(std::size_t bytes);
  ~PageMemory();
  PageMemory(PageMemory&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  PageMemory& operator=(PageMemory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }

  void* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace concertina
