#include "testing/allocation_count.h"

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <new>

// AddressSanitizer watches malloc itself. ThreadSanitizer brings its own operator new too, which clang cannot
// replace.
#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define CONCERTINA_COUNTS_NOTHING 1
#elif defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define CONCERTINA_COUNTS_NEW 1
#else
#define CONCERTINA_COUNTS_MALLOC 1
#endif

namespace {

std::atomic<std::int64_t> count{0};
std::atomic<std::int64_t> alive{0};
std::atomic<std::int64_t> until_failure{-1};
std::atomic<bool> failed{false};

/// What give() gives, unless this request is the one that fails.
template <typename Give>
void* request(Give give) {
  ++count;
  if (until_failure >= 0 && until_failure-- == 0) {
    failed = true;
    errno = ENOMEM;
    return nullptr;
  }
  void* const given = give();
  if (given != nullptr) ++alive;
  return given;
}

}  // namespace

std::int64_t concertina::testing::allocation_count() {
#ifdef CONCERTINA_COUNTS_NOTHING
  count = -1;
#endif
  return count;
}

std::int64_t concertina::testing::allocations_alive() {
  return alive;
}

void concertina::testing::fail_allocation(std::int64_t after) {
  failed = false;
  until_failure = after;
}

bool concertina::testing::allocation_failed() {
  return failed;
}

#ifdef CONCERTINA_COUNTS_NEW

namespace {

constexpr std::align_val_t kUsual{__STDCPP_DEFAULT_NEW_ALIGNMENT__};

void* allocate(std::size_t size, std::align_val_t align) noexcept {
  const auto unit = static_cast<std::size_t>(align);
  return request([&] { return std::aligned_alloc(unit, (size + unit - 1) / unit * unit); });
}

void* allocate_or_throw(std::size_t size, std::align_val_t align) {
  void* p = allocate(size, align);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}

void release(void* p) noexcept {
  if (p != nullptr) --alive;
  std::free(p);
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
  release(p);
}
void operator delete(void* p, std::size_t) noexcept {
  release(p);
}
void operator delete(void* p, std::align_val_t) noexcept {
  release(p);
}
void operator delete(void* p, std::size_t, std::align_val_t) noexcept {
  release(p);
}
void operator delete(void* p, const std::nothrow_t&) noexcept {
  release(p);
}
void operator delete[](void* p) noexcept {
  release(p);
}
void operator delete[](void* p, std::size_t) noexcept {
  release(p);
}
void operator delete[](void* p, std::align_val_t) noexcept {
  release(p);
}
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept {
  release(p);
}
void operator delete[](void* p, const std::nothrow_t&) noexcept {
  release(p);
}

#endif
#ifdef CONCERTINA_COUNTS_MALLOC

// What glibc's own malloc and its kin are called when these stand in their place.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* p, std::size_t size);
void* __libc_memalign(std::size_t align, std::size_t size);
void __libc_free(void* p);

void* malloc(std::size_t size) noexcept {
  return request([&] { return __libc_malloc(size); });
}
void* calloc(std::size_t units, std::size_t size) noexcept {
  return request([&] { return __libc_calloc(units, size); });
}
void* realloc(void* p, std::size_t size) noexcept {
  void* const given = request([&] { return __libc_realloc(p, size); });
  if (p != nullptr && (given != nullptr || size == 0)) --alive;  // the old piece is gone
  return given;
}
void* memalign(std::size_t align, std::size_t size) noexcept {
  return request([&] { return __libc_memalign(align, size); });
}
void* aligned_alloc(std::size_t align, std::size_t size) noexcept {
  return memalign(align, size);
}
int posix_memalign(void** result, std::size_t align, std::size_t size) noexcept {
  void* const given = memalign(align, size);
  if (given == nullptr) return ENOMEM;
  *result = given;
  return 0;
}
void free(void* p) noexcept {
  if (p != nullptr) --alive;
  __libc_free(p);
}
}

#endif
