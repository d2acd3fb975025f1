#include "testing/allocation_count.h"

#include <atomic>
#include <cstdlib>
#include <new>

// ThreadSanitizer brings its own operator new, which clang cannot replace.
#if defined(__SANITIZE_THREAD__)
#define CONCERTINA_COUNTS_ALLOCATIONS 0
#elif defined(__has_feature)
#define CONCERTINA_COUNTS_ALLOCATIONS !__has_feature(thread_sanitizer)
#else
#define CONCERTINA_COUNTS_ALLOCATIONS 1
#endif

#if CONCERTINA_COUNTS_ALLOCATIONS

namespace {

std::atomic<std::int64_t> count{0};
std::atomic<std::int64_t> until_failure{-1};

constexpr std::align_val_t kUsual{__STDCPP_DEFAULT_NEW_ALIGNMENT__};

void* allocate(std::size_t size, std::align_val_t align) noexcept {
  ++count;
  if (until_failure >= 0 && until_failure-- == 0) return nullptr;
  const auto unit = static_cast<std::size_t>(align);
  return std::aligned_alloc(unit, (size + unit - 1) / unit * unit);
}

void* allocate_or_throw(std::size_t size, std::align_val_t align) {
  void* p = allocate(size, align);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}

}  // namespace

void* operator new(std::size_t size) {
  return allocate_or_throw(size, kUsual);
}
void* operator new(std::size_t size, std::align_val_t align) {
  return allocate_or_throw(size, align);
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size, kUsual);
}
void* operator new[](std::size_t size) {
  return allocate_or_throw(size, kUsual);
}
void* operator new[](std::size_t size, std::align_val_t align) {
  return allocate_or_throw(size, align);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size, kUsual);
}
void operator delete(void* p) noexcept {
  std::free(p);
}
void operator delete(void* p, std::size_t) noexcept {
  std::free(p);
}
void operator delete(void* p, std::align_val_t) noexcept {
  std::free(p);
}
void operator delete(void* p, std::size_t, std::align_val_t) noexcept {
  std::free(p);
}
void operator delete(void* p, const std::nothrow_t&) noexcept {
  std::free(p);
}
void operator delete[](void* p) noexcept {
  std::free(p);
}
void operator delete[](void* p, std::size_t) noexcept {
  std::free(p);
}
void operator delete[](void* p, std::align_val_t) noexcept {
  std::free(p);
}
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept {
  std::free(p);
}
void operator delete[](void* p, const std::nothrow_t&) noexcept {
  std::free(p);
}

std::int64_t concertina::testing::allocation_count() {
  return count;
}

void concertina::testing::fail_allocation(std::int64_t after) {
  until_failure = after;
}

#else

std::int64_t concertina::testing::allocation_count() {
  return -1;
}

void concertina::testing::fail_allocation(std::int64_t) {}

#endif
