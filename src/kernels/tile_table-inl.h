// Per-target include guard.
#if defined(CONCERTINA_KERNELS_TILE_TABLE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CONCERTINA_KERNELS_TILE_TABLE_INL_H_
#undef CONCERTINA_KERNELS_TILE_TABLE_INL_H_
#else
#define CONCERTINA_KERNELS_TILE_TABLE_INL_H_
#endif

#include <array>
#include <type_traits>

#include "kernels/simd-inl.h"

// Which tiles are compiled, and which one covers how many pixels.

HWY_BEFORE_NAMESPACE();
namespace concertina::kernels::HWY_NAMESPACE {
namespace {

/// Lengths of the tiles that are compiled, rising: few, because each is code for every instruction set, and
/// such that the maps of the usual networks are covered without waste.
template <int... kLengths>
struct Lengths {};

// Sanitized code gets the tiles of few registers and few lengths: the others would take minutes to compile.
#if defined(CONCERTINA_SANITIZED)
constexpr bool k32Registers = false;
using LongLengths = Lengths<4>;
using ShortLengths = Lengths<1>;
using DepthwiseLengths = Lengths<2>;
#else
constexpr bool k32Registers = HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL || HWY_TARGET == HWY_NEON;
using LongLengths = Lengths<4, 8, 16, 24, 28>;            // for one vector of sums
using ShortLengths = Lengths<1, 2, 4, 7, 8, 10, 12, 14>;  // for two
using DepthwiseLengths = Lengths<4, 7, 8, 14>;
#endif

/// Tile functions by the pixels that a tile has to cover: the shortest that is long enough.
template <class Function>
struct TileTable {
  const Function* functions = nullptr;  // null: there are none
  int most = 0;                         // pixels

  TileTable() = default;
  constexpr TileTable(const Function* all, int longest) : functions(all), most(longest) {}
  /// Of what tile_functions() has made.
  template <std::size_t kCount>
  constexpr TileTable(const std::array<Function, kCount>& all) : TileTable(all.data(), kCount - 1) {}

  explicit operator bool() const { return functions != nullptr; }

  /// The pixels of the next tile, `left` being left: no tile is much shorter than the others.
  HWY_INLINE int length(int left) const {
    if (left <= most) return left;
    return left < 2 * most ? (left + 1) / 2 : most;
  }

  /// The table without tiles that are longer than one that covers `width` pixels without waste, if there is
  /// one of more than half the length of the longest.
  TileTable evenly(int width) const {
    for (int length = most; length > most / 2; --length) {
      const bool compiled = length == most || functions[length] != functions[length + 1];
      if (compiled && width % length == 0) return {functions, length};
    }
    return *this;
  }
};

/// make(std::integral_constant<int, kPixels>) gives the function for kPixels.
template <class Function, int kMost, class Make, int... kLengths>
constexpr std::array<Function, kMost + 1> tile_functions(Lengths<kLengths...>, Make make) {
  std::array<Function, kMost + 1> table{};
  const auto add = [&]<int kLength>(std::integral_constant<int, kLength> length) {
    if constexpr (kLength <= kMost) {
      for (std::size_t p = 0; p <= kLength; ++p) {
        if (table[p] == nullptr) table[p] = make(length);
      }
    }
  };
  (add(std::integral_constant<int, kLengths>()), ...);
  add(std::integral_constant<int, kMost>());
  return table;
}

}  // namespace
}  // namespace concertina::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
