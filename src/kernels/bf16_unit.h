#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/chunk.h"

/// What bf16_conv() needs of an instruction set.
namespace concertina::kernels {

inline constexpr int kBf16Panel = kChunkPanel;
inline constexpr int kBf16Channels = 32;  ///< inputs are padded with zeros to a multiple of it

/// Two panels under all pixels of a chunk. Inputs are bfloat16, weights pairs of it.
struct Bf16Panels {
  std::span<const std::ptrdiff_t> taps;     ///< elements from a pixel to what each tap sees
  std::span<const ChannelRange> ranges;     ///< side by side in the pixel, each in whole kBf16Channels
  std::ptrdiff_t pixel = 0;                 ///< elements from one output's input to the next one's
  const std::uint32_t* weights = nullptr;   ///< [taps][rows][kBf16Panel]
  std::ptrdiff_t rows = 0;                  ///< pairs of input channels at full width
  const std::uint32_t* weights2 = nullptr;  ///< of the second panel, or null
};

/// How many kBf16Channels a range takes. It begins at an even channel of the filter, as weights come in
/// pairs.
inline int blocks_of(const ChannelRange& range) {
  return (range.weight_begin % 2 + range.count + kBf16Channels - 1) / kBf16Channels;
}

struct Bf16Unit {
  const char* name;
  int pixels;  ///< of one call of products()

  /// Around all calls of products() in a thread.
  void (*begin)();
  void (*end)();

  /// sums[p][k] = sum over all inputs of pixel p, times weights of channel k: `pixels` rows of 2 *
  /// kBf16Panel. Reads whole blocks: up to this->pixels rows are written, and as many pixels of the input
  /// read.
  void (*products)(const Bf16Panels& panels, const std::uint16_t* input, int pixels, float* sums);
};

/// Null where the machine has no such unit. AMX asks the system for permission, once; it also needs Highway's
/// target AVX3_DL, which every machine with AMX has and tests hide.
const Bf16Unit* amx_unit();
const Bf16Unit* avx512_bf16_unit();

}  // namespace concertina::kernels
