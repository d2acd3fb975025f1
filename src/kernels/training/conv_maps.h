#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/training/batch_norm.h"

/// How a trainer's convolutions read and write maps.
namespace concertina::kernels {

/// Widens or copies `count` values of a map to what a unit multiplies: 16 bits, or floats. With bf16, the map
/// is of bf16.
void load_values(const void* from, Element element, bool bf16, std::ptrdiff_t count, void* to);

/// Sums of a block of pixels become values of a map. A pixel has room for a pair of panels.
struct StoreArgs {
  const float* sums = nullptr;  ///< [pixels][kPanelPair]
  int pixels = 0;
  int channels = 0;             ///< at most kPanelPair
  const float* bias = nullptr;  ///< [kPanelPair], or null
  Element element = Element::fp32;
  void* to = nullptr;        ///< the first pixel's first channel
  std::ptrdiff_t pixel = 0;  ///< values from pixel to pixel
  /// If not null, [3][kPanelPair]: an origin, to which the sums of the stored values' distances are
  /// added, and those of the squared distances.
  float* moments = nullptr;
};
void store_values(const StoreArgs& args);

/// to[i] = the pair of x[i] and x[i + shift].
void make_pairs(const std::uint16_t* x, std::ptrdiff_t shift, std::ptrdiff_t count, std::uint32_t* to);

/// A row of pixels, [columns][pixel] of which the first `channels` are wanted -> to[channel * plane + pair of
/// columns]. An odd last column has 0 beside it.
void make_planes(const std::uint16_t* row, int columns, int channels, std::ptrdiff_t pixel,
                 std::ptrdiff_t plane, std::uint32_t* to);

/// Weights become elements: to[c * step + k] is from[k * output + c * input], or with bf16 the pair of that
/// and the next c's, for all k < outputs. Precondition: with bf16, `inputs` is even or the last pair's other
/// half is 0.
struct PackArgs {
  const float* from = nullptr;
  std::ptrdiff_t output = 0, input = 0;
  int outputs = 0;  ///< at most kTrainingPanel
  int inputs = 0;
  bool bf16 = false;
  std::uint32_t* to = nullptr;
  std::ptrdiff_t step = 0;
};
void pack_weights(const PackArgs& args);

}  // namespace concertina::kernels
