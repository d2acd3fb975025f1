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

/// Two panels under all pixels of a chunk; only one of units that widen.
struct Int8Panels {
  std::span<const std::ptrdiff_t> taps;   ///< elements from a pixel to what each tap sees
  std::span<const ChannelRange> ranges;   ///< side by side in the pixel, each in whole quads
  std::ptrdiff_t pixel = 0;               ///< elements from one output's input to the next one's
  int quads = 0;                          ///< of a pixel
  const std::int8_t* weights = nullptr;   ///< [taps][rows][kChunkPanel][kQuad]
  const std::int8_t* weights2 = nullptr;  ///< of the second panel, or null
  std::ptrdiff_t rows = 0;                ///< quads of input channels at full width
  /// Of units that widen: the active rows of the panel, [taps][quads][2][kChunkPanel][2].
  const std::int16_t* wide = nullptr;
  const std::int32_t* starts = nullptr;  ///< [2 * kChunkPanel]: what the sums begin with
};

struct Int8Unit {
  const char* name;
  int pixels;   ///< of one call of products()
  bool widens;  ///< inputs and weights are widened to 16 bits before they are multiplied, a panel at a time

  /// sums[p][k] = starts[k] + sum over all inputs of pixel p, times weights of channel k: `pixels` rows of 2
  /// * kChunkPanel. input: uint8, or int16 if it widens. Reads whole blocks: up to this->pixels rows are
  /// written, and as many pixels of the input read.
  void (*products)(const Int8Panels& panels, const void* input, int pixels, std::int32_t* sums);

  std::size_t element() const { return widens ? sizeof(std::int16_t) : sizeof(std::uint8_t); }
};

/// Null where the machine has no such unit.
const Int8Unit* avx512_vnni_unit();
const Int8Unit* avx2_int8_unit();
/// Every machine has it.
const Int8Unit* plain_int8_unit();

}  // namespace concertina::kernels
