#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/bf16_unit.h"
#include "kernels/chunk.h"

/// What bf16_conv() does with a chunk (chunk.h): its inputs are rounded to bfloat16.
namespace concertina::kernels {

// Elements of a chunk's inputs: they stay in the second-level cache while all panels read them.
inline constexpr std::ptrdiff_t kBf16ChunkElements = 96 * 1024;

/// True if a row of taps is multiplied as one run of channels: of few channels, each tap alone would fill
/// only a part of a block.
inline bool merges_taps(const Filter& filter, const WindowArgs& w) {
  return filter.in_channels <= kBf16Channels / 2 && w.kernel_w > 1 && w.dilation_w == 1;
}

/// Inputs of one product, and how many of them there are for each output.
struct Bf16Depth {
  int taps;      ///< that are multiplied one after the other
  int channels;  ///< of each at full width, even

  Bf16Depth(const Filter& f, const WindowArgs& w)
      : taps(merges_taps(f, w) ? w.kernel_h : f.taps),
        channels(round_up(f.in_channels, 2) * (f.taps / taps)) {}

  std::ptrdiff_t pair_rows() const { return round_up(channels, kBf16Channels) / 2; }
};

/// A thread's inputs as bfloat16. Where taps are merged, columns stay together and each output is stride_w
/// pixels after the one before.
struct Bf16Geometry : ChunkGeometry {
  bool merged;

  Bf16Geometry(const Filter& f, const WindowArgs& w, std::span<const ChannelRange> inputs)
      : ChunkGeometry(w), merged(merges_taps(f, w)) {
    most = kBf16ChunkElements;
    if (merged) {
      across = 1;
      channels = round_up(f.in_channels, 2);
    } else {
      for (const ChannelRange& range : inputs) channels += blocks_of(range) * kBf16Channels;
    }
    pixel = merged ? channels * w.stride_w : channels;
  }
};

/// Panels 2 * first_pair .. 2 * last_pair - 1 of args' output for the chunk. inputs: see workspace_bf16().
void run_bf16_chunk(const ConvArgs& args, const Bf16Geometry& g, const Chunk& chunk, std::uint16_t* inputs,
                    int first_pair, int last_pair);

}  // namespace concertina::kernels
