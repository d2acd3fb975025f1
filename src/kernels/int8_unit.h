#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/chunk.h"

/// What int8_conv() needs of an instruction set.
namespace concertina::kernels {

inline constexpr int kQuad = 4;  ///< input channels whose weights lie together
inline constexpr int kQuadRow = kChunkPanel * kQuad;

/// How many quads a range takes. It begins at a whole quad of the filter.
inline int quads_of(const ChannelRange& range) {
  return (range.weight_begin % kQuad + range.count + kQuad - 1) / kQuad;
}

/// Two panels under all pixels of a chunk.
struct Int8Panels {
  std::span<const std::ptrdiff_t> taps;   ///< bytes from a pixel to what each tap sees
  std::span<const ChannelRange> ranges;   ///< side by side in the pixel, each in whole quads, at least one
  std::ptrdiff_t pixel = 0;               ///< bytes from one output's input to the next one's
  const std::int8_t* weights = nullptr;   ///< [taps][rows][kChunkPanel][kQuad]
  const std::int8_t* weights2 = nullptr;  ///< of the second panel, or null
  std::ptrdiff_t rows = 0;                ///< quads of input channels at full width
  const std::int32_t* starts = nullptr;   ///< [2 * kChunkPanel]: what the sums begin with
};

struct Int8Unit {
  const char* name;
  int pixels;      ///< of one call of products()
  int most_input;  ///< the largest input whose products it sums exactly: 127 or 255

  /// sums[p][k] = starts[k] + sum over all inputs of pixel p, times weights of channel k: `pixels` rows of 2
  /// * kChunkPanel. Without a second panel only the first kChunkPanel of a row are written. May work on whole
  /// blocks: write up to this->pixels rows, and read as many pixels of the input.
  void (*products)(const Int8Panels& panels, const std::uint8_t* input, int pixels, std::int32_t* sums);
};

/// Null where the machine has no such unit.
const Int8Unit* avx512_vnni_unit();
const Int8Unit* avx_vnni_unit();
const Int8Unit* avx2_int8_unit();
/// Every machine has it.
const Int8Unit* plain_int8_unit();

}  // namespace concertina::kernels
