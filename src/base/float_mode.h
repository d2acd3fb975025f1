#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace concertina {

/// How a thread computes with floats: how it rounds, and what it does with denormal numbers. On processors
/// that we do not know all modes are one.
class FloatMode {
 public:
  static FloatMode current() { return FloatMode(read() & kControl); }

  /// The same, with denormal numbers read and written as 0. An operation on one takes up to a hundred times
  /// as long as on another number.
  FloatMode flushing_denormals() const { return FloatMode(bits_ | kFlush); }

  /// For the calling thread.
  void set() const {
    const std::uint32_t now = read();
    if ((now & kControl) != bits_) write((now & ~kControl) | bits_);
  }

  /// What of_bits() takes, for another thread.
  std::uint32_t bits() const { return bits_; }
  static FloatMode of_bits(std::uint32_t bits) { return FloatMode(bits); }

 private:
  explicit FloatMode(std::uint32_t bits) : bits_(bits) {}

#if defined(__x86_64__)
  static constexpr std::uint32_t kControl = 0xffc0;  // without the flags of exceptions that were
  static constexpr std::uint32_t kFlush = 0x8040;    // flush to zero, denormals are zero
  static std::uint32_t read() {
    return _mm_getcsr();
  }
  static void write(std::uint32_t bits) {
    _mm_setcsr(bits);
  }
#elif defined(__aarch64__)
  static constexpr std::uint32_t kControl = ~std::uint32_t{0};
  static constexpr std::uint32_t kFlush = std::uint32_t{1} << 24;
  static std::uint32_t read() {
    std::uint64_t bits = 0;
    asm volatile("mrs %0, fpcr" : "=r"(bits));
    return static_cast<std::uint32_t>(bits);
  }
  static void write(std::uint32_t bits) {
    asm volatile("msr fpcr, %0" : : "r"(std::uint64_t{bits}) : "memory");
  }
#else
  static constexpr std::uint32_t kControl = 0, kFlush = 0;
  static std::uint32_t read() {
    return 0;
  }
  static void write(std::uint32_t) {}
#endif

  std::uint32_t bits_;
};

/// While it lives, its thread takes denormal numbers for 0. Then the thread computes as before.
class FlushDenormals {
 public:
  FlushDenormals() { before_.flushing_denormals().set(); }
  ~FlushDenormals() { before_.set(); }
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  FloatMode before_ = FloatMode::current();
};

}  // namespace concertina
