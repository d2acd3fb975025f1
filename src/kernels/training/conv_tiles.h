#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/training/conv_unit.h"

/// The sums of a trainer's convolutions by tiles: registers of 16 rows of 64 bytes. `Tiles` has AMX's
/// instructions, or in tests what they stand for: zero<T>(), load<T>(address, bytes from row to row),
/// store<T>(the same), multiply<C, A, B>().
namespace concertina::kernels {

inline constexpr int kTileRows = 16;
inline constexpr int kTilePairs = 16;

template <class Tiles>
struct TileProducts {
  static constexpr int kPanel = kTrainingPanel;
  static constexpr std::ptrdiff_t kRowBytes = 64;

  template <bool kTwoRows, bool kTwoPanels>
  static void products_of(const PanelProducts& p, const std::uint16_t* x, float* sums) {
    constexpr std::ptrdiff_t kSumsBytes = 2 * kPanel * sizeof(float);
    const std::ptrdiff_t pixel_bytes = p.pixel * 2;
    const auto* w = static_cast<const std::uint32_t*>(p.weights);
    const auto* w2 = static_cast<const std::uint32_t*>(p.weights2);
    Tiles::template zero<0>();
    if constexpr (kTwoPanels) Tiles::template zero<1>();
    if constexpr (kTwoRows) Tiles::template zero<2>();
    if constexpr (kTwoRows && kTwoPanels) Tiles::template zero<3>();
    for (const std::ptrdiff_t run : p.runs) {
      const std::uint16_t* at = x + run;
      for (int d = 0; d < p.depth; d += kTilePairs, at += 2 * kTilePairs) {
        Tiles::template load<4>(at, pixel_bytes);
        Tiles::template load<6>(w, kRowBytes);
        Tiles::template multiply<0, 4, 6>();
        if constexpr (kTwoPanels) {
          Tiles::template load<7>(w2, kRowBytes);
          Tiles::template multiply<1, 4, 7>();
          w2 += kTilePairs * kPanel;
        }
        if constexpr (kTwoRows) {
          Tiles::template load<5>(at + kTileRows * p.pixel, pixel_bytes);
          Tiles::template multiply<2, 5, 6>();
        }
        if constexpr (kTwoRows && kTwoPanels) Tiles::template multiply<3, 5, 7>();
        w += kTilePairs * kPanel;
      }
    }
    float* const second = sums + kTileRows * 2 * kPanel;
    Tiles::template store<0>(sums, kSumsBytes);
    if constexpr (kTwoPanels) Tiles::template store<1>(sums + kPanel, kSumsBytes);
    if constexpr (kTwoRows) Tiles::template store<2>(second, kSumsBytes);
    if constexpr (kTwoRows && kTwoPanels) Tiles::template store<3>(second + kPanel, kSumsBytes);
  }

  static void products(const PanelProducts& p, const void* x, int pixels, float* sums) {
    const auto* at = static_cast<const std::uint16_t*>(x);
    const bool two = p.weights2 != nullptr;
    if (pixels > kTileRows)
      return two ? products_of<true, true>(p, at, sums) : products_of<true, false>(p, at, sums);
    two ? products_of<false, true>(p, at, sums) : products_of<false, false>(p, at, sums);
  }

  /// Sums of up to 16 channels, or 32, under up to 32 inputs; whole tiles of them.
  template <bool kTwoChannels, bool kTwoInputs>
  static void outer_tiles(const OuterProducts& o, int channel, int input, float* sums, std::ptrdiff_t row) {
    const std::ptrdiff_t row_bytes = row * 4, x_bytes = o.x_column * 4, dy_bytes = o.dy_channel * 4;
    float* const lower = sums + kTileRows * row;
    Tiles::template load<0>(sums, row_bytes);
    if constexpr (kTwoInputs) Tiles::template load<1>(sums + kPanel, row_bytes);
    if constexpr (kTwoChannels) Tiles::template load<2>(lower, row_bytes);
    if constexpr (kTwoChannels && kTwoInputs) Tiles::template load<3>(lower + kPanel, row_bytes);
    for (int n = 0; n < o.images; ++n) {
      for (int y = 0; y < o.rows; ++y) {
        const auto* x = static_cast<const std::uint32_t*>(o.x) + n * o.x_image + y * o.x_row + input;
        const auto* dy =
            static_cast<const std::uint32_t*>(o.dy) + n * o.dy_image + y * o.dy_row + channel * o.dy_channel;
        for (int c = 0; c < o.columns; c += kTilePairs, x += kTilePairs * o.x_column, dy += kTilePairs) {
          Tiles::template load<4>(dy, dy_bytes);
          Tiles::template load<6>(x, x_bytes);
          Tiles::template multiply<0, 4, 6>();
          if constexpr (kTwoInputs) {
            Tiles::template load<7>(x + kPanel, x_bytes);
            Tiles::template multiply<1, 4, 7>();
          }
          if constexpr (kTwoChannels) {
            Tiles::template load<5>(dy + kTileRows * o.dy_channel, dy_bytes);
            Tiles::template multiply<2, 5, 6>();
          }
          if constexpr (kTwoChannels && kTwoInputs) Tiles::template multiply<3, 5, 7>();
        }
      }
    }
    Tiles::template store<0>(sums, row_bytes);
    if constexpr (kTwoInputs) Tiles::template store<1>(sums + kPanel, row_bytes);
    if constexpr (kTwoChannels) Tiles::template store<2>(lower, row_bytes);
    if constexpr (kTwoChannels && kTwoInputs) Tiles::template store<3>(lower + kPanel, row_bytes);
  }

  /// Fewer channels than tiles have rows: by way of a copy, whose other rows are dropped.
  template <bool kTwoChannels, bool kTwoInputs>
  static void last_outer(const OuterProducts& o, int channel, int input) {
    constexpr int kSumsWidth = 2 * kPanel;
    alignas(64) float sums[2 * kTileRows * kSumsWidth] = {};
    const int count = o.channels - channel, width = kTwoInputs ? kSumsWidth : kPanel;
    float* const from = o.sums + channel * o.sums_row + input;
    for (int k = 0; k < count; ++k) std::copy_n(from + k * o.sums_row, width, sums + k * kSumsWidth);
    outer_tiles<kTwoChannels, kTwoInputs>(o, channel, input, sums, kSumsWidth);
    for (int k = 0; k < count; ++k) std::copy_n(sums + k * kSumsWidth, width, from + k * o.sums_row);
  }

  template <bool kTwoInputs>
  static void outer_of(const OuterProducts& o, int input) {
    int k = 0;
    for (; k + 2 * kTileRows <= o.channels; k += 2 * kTileRows)
      outer_tiles<true, kTwoInputs>(o, k, input, o.sums + k * o.sums_row + input, o.sums_row);
    if (o.channels - k > kTileRows) return last_outer<true, kTwoInputs>(o, k, input);
    if (o.channels - k == kTileRows)
      return outer_tiles<false, kTwoInputs>(o, k, input, o.sums + k * o.sums_row + input, o.sums_row);
    if (o.channels > k) last_outer<false, kTwoInputs>(o, k, input);
  }

  static void outer(const OuterProducts& o) {
    int input = 0;
    for (; o.inputs - input > kPanel; input += 2 * kPanel) outer_of<true>(o, input);
    if (o.inputs > input) outer_of<false>(o, input);
  }

  static_assert(2 * kTileRows <= kMostBlockPixels);

  static constexpr TrainingUnit unit(const char* name, void (*begin)(), void (*end)()) {
    return {.name = name,
            .bf16 = true,
            .pixels = 2 * kTileRows,
            .pixels_of_two = 2 * kTileRows,
            .slides = false,
            .depth = 2 * kTilePairs,
            .least_columns = kTileRows,
            .begin = begin,
            .end = end,
            .products = products,
            .outer = outer};
  }
};

}  // namespace concertina::kernels
