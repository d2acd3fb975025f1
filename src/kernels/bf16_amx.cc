#include "kernels/bf16_unit.h"

#if defined(__x86_64__) && defined(__linux__)
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hwy/highway.h"

HWY_PUSH_ATTRIBUTES("avx512f,amx-tile,amx-bf16")
namespace concertina::kernels {
namespace {

constexpr int kTilePixels = 16;
constexpr int kRowBytes = 64;  // of every tile: 32 inputs, 16 pairs of weights, or 16 sums

// Of all eight tiles: 0 to 3 sums, 4 and 5 inputs of 16 pixels each, 6 and 7 weights of a panel each.
struct alignas(64) TileConfig {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t row_bytes[16] = {};
  std::uint8_t rows[16] = {};

  constexpr TileConfig() {
    for (int i = 0; i < 8; ++i) {
      row_bytes[i] = kRowBytes;
      rows[i] = 16;
    }
  }
};
constexpr TileConfig kConfig;

void begin() {
  _tile_loadconfig(&kConfig);
}

void end() {
  _tile_release();
}

// The compiler does not know that tiles are loaded from memory and may not move stores past them.
inline void barrier() {
  __asm__ volatile("" ::: "memory");
}

template <bool kTwoRows, bool kTwoPanels>
void products_of(const Bf16Panels& p, const std::uint16_t* input, float* sums) {
  constexpr int kSumsBytes = 2 * kBf16Panel * sizeof(float);
  const std::ptrdiff_t pixel_bytes = p.pixel * static_cast<std::ptrdiff_t>(sizeof(std::uint16_t));
  const std::ptrdiff_t second_row = kTilePixels * p.pixel;
  barrier();
  _tile_zero(0);
  if constexpr (kTwoPanels) _tile_zero(1);
  if constexpr (kTwoRows) _tile_zero(2);
  if constexpr (kTwoRows && kTwoPanels) _tile_zero(3);
  for (std::size_t tap = 0; tap < p.taps.size(); ++tap) {
    const std::uint16_t* at = input + p.taps[tap];
    const std::ptrdiff_t tap_row = static_cast<std::ptrdiff_t>(tap) * p.rows;
    for (const ChannelRange& range : p.ranges) {
      std::ptrdiff_t weight = (tap_row + range.weight_begin / 2) * kBf16Panel;
      for (int left = blocks_of(range); left > 0; --left) {
        _tile_loadd(4, at, pixel_bytes);
        _tile_loadd(6, p.weights + weight, kRowBytes);
        _tile_dpbf16ps(0, 4, 6);
        if constexpr (kTwoPanels) {
          _tile_loadd(7, p.weights2 + weight, kRowBytes);
          _tile_dpbf16ps(1, 4, 7);
        }
        if constexpr (kTwoRows) {
          _tile_loadd(5, at + second_row, pixel_bytes);
          _tile_dpbf16ps(2, 5, 6);
        }
        if constexpr (kTwoRows && kTwoPanels) _tile_dpbf16ps(3, 5, 7);
        at += kBf16Channels;
        weight += kBf16Channels / 2 * kBf16Panel;
      }
    }
  }
  float* const second_sums = sums + kTilePixels * 2 * kBf16Panel;
  _tile_stored(0, sums, kSumsBytes);
  if constexpr (kTwoPanels) _tile_stored(1, sums + kBf16Panel, kSumsBytes);
  if constexpr (kTwoRows) _tile_stored(2, second_sums, kSumsBytes);
  if constexpr (kTwoRows && kTwoPanels) _tile_stored(3, second_sums + kBf16Panel, kSumsBytes);
  barrier();
}

void products(const Bf16Panels& p, const std::uint16_t* input, int pixels, float* sums) {
  const bool two_panels = p.weights2 != nullptr;
  if (pixels > kTilePixels) {
    two_panels ? products_of<true, true>(p, input, sums) : products_of<true, false>(p, input, sums);
  } else {
    two_panels ? products_of<false, true>(p, input, sums) : products_of<false, false>(p, input, sums);
  }
}

constexpr Bf16Unit kUnit{
    .name = "AMX", .pixels = 2 * kTilePixels, .begin = begin, .end = end, .products = products};

}  // namespace
}  // namespace concertina::kernels
HWY_POP_ATTRIBUTES

namespace concertina::kernels {
namespace {

/// The bits are those of Intel's manual, CPUID leaf 7; neither compiler's __builtin_cpu_supports() knows
/// them.
bool machine_has_amx() {
  unsigned a = 7;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  constexpr unsigned kBf16 = 1U << 22;
  constexpr unsigned kTile = 1U << 24;
  return (d & kBf16) != 0 && (d & kTile) != 0;
}

/// The state of the tiles is large, and Linux gives it only to processes that ask (ARCH_REQ_XCOMP_PERM).
bool system_permits() {
  constexpr long kRequest = 0x1023;
  constexpr long kTileData = 18;
  return syscall(SYS_arch_prctl, kRequest, kTileData) == 0;
}

}  // namespace
}  // namespace concertina::kernels
#endif

namespace concertina::kernels {

const Bf16Unit* amx_unit() {
#if defined(__x86_64__) && defined(__linux__)
  static const bool usable = avx512_bf16_unit() != nullptr && machine_has_amx() && system_permits();
  if (usable && (hwy::SupportedTargets() & HWY_AVX3_DL) != 0) return &kUnit;
#endif
  return nullptr;
}

}  // namespace concertina::kernels
