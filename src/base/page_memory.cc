#include "base/page_memory.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstring>
#include <new>

namespace concertina {
namespace {

constexpr std::size_t kLargePage = std::size_t{1} << 21;

/// Sanitizers watch the ends of what `new` gives, but not those of what the system gives.
bool from_system(std::size_t bytes) {
#ifdef CONCERTINA_SANITIZED
  return bytes == SIZE_MAX;
#else
  return bytes >= kLargePage / 2;
#endif
}

std::size_t round_up(std::size_t bytes) {
  return (bytes + kLargePage - 1) / kLargePage * kLargePage;
}

/// `size` bytes, whole large pages, on the boundary of one.
void* map_pages(std::size_t size) {
  const std::size_t mapped = size + kLargePage;
  if (mapped < size) throw std::bad_alloc();
  void* const begin = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (begin == MAP_FAILED) throw std::bad_alloc();
  char* const first = static_cast<char*>(begin);
  const std::size_t before =
      round_up(reinterpret_cast<std::uintptr_t>(first)) - reinterpret_cast<std::uintptr_t>(first);
  if (before > 0) munmap(first, before);
  if (before < kLargePage) munmap(first + before + size, kLargePage - before);
  madvise(first + before, size, MADV_HUGEPAGE);  // a wish; small pages do as well
  return first + before;
}

}  // namespace

void want_large_pages(void* begin, std::size_t bytes) {
  const auto from = reinterpret_cast<std::uintptr_t>(begin);
  const std::uintptr_t first = round_up(from), end = (from + bytes) / kLargePage * kLargePage;
  if (first < end) madvise(static_cast<char*>(begin) + (first - from), end - first, MADV_HUGEPAGE);
}

PageMemory::PageMemory(std::size_t bytes) : size_(bytes) {
  if (bytes == 0) return;
  if (from_system(bytes)) {
    if (bytes > SIZE_MAX - kLargePage) throw std::bad_alloc();
    data_ = map_pages(round_up(bytes));
  } else {
    data_ = std::memset(::operator new (bytes, std::align_val_t{kAlignment}), 0, bytes);
  }
}

PageMemory::~PageMemory() {
  if (data_ == nullptr) return;
  if (from_system(size_)) {
    munmap(data_, round_up(size_));
  } else {
    ::operator delete (data_, std::align_val_t{kAlignment});
  }
}

}  // namespace concertina
