#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/bf16_unit.h"
#include "kernels/phases.h"

/// A part of the map whose inputs bf16_conv() rounds into a thread's memory, and what it does with them
/// there.
namespace concertina::kernels {

// Elements of a chunk's inputs: they stay in the second-level cache while all panels read them.
inline constexpr std::ptrdiff_t kBf16ChunkElements = 96 * 1024;

inline constexpr int kMaxBf16BlockPixels = 32;

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
struct Bf16Geometry : Phases {
  bool merged;
  std::ptrdiff_t channels;  ///< elements of an input pixel
  std::ptrdiff_t pixel;     ///< elements from output to output

  Bf16Geometry(const Filter& f, const WindowArgs& w, std::span<const ChannelRange> inputs)
      : Phases(w), merged(merges_taps(f, w)), channels(merged ? round_up(f.in_channels, 2) : 0), pixel(0) {
    if (merged) across = 1;
    if (!merged) {
      for (const ChannelRange& range : inputs) channels += blocks_of(range) * kBf16Channels;
    }
    pixel = merged ? channels * w.stride_w : channels;
  }

  std::ptrdiff_t row() const { return width * pixel; }
  std::ptrdiff_t rows(int output_rows) const {
    return static_cast<std::ptrdiff_t>(down) * across * (output_rows + halo) * row();
  }

  /// Output rows of one image that fit a chunk.
  int most_rows(const WindowArgs& w) const {
    const std::ptrdiff_t fit = kBf16ChunkElements / rows(1 - halo) - halo;
    const int least = (kMaxBf16BlockPixels + width - 1) / width;
    return static_cast<int>(std::clamp<std::ptrdiff_t>(fit, std::min(least, w.out_h), w.out_h));
  }
  /// Images of which all rows fit, or as many as fill a block of pixels, which reads all weights.
  int most_images(const WindowArgs& w) const {
    const int least = (kMaxBf16BlockPixels + w.out_h * width - 1) / (w.out_h * width);
    return static_cast<int>(std::max<std::ptrdiff_t>(least, kBf16ChunkElements / rows(w.out_h)));
  }
};

/// Some rows of one image, or all of several.
struct Bf16Chunk {
  int image = 0;
  int images = 1;
  int row = 0;
  int rows = 0;
};

/// Panels 2 * first_pair .. 2 * last_pair - 1 of args' output for the chunk. inputs: see workspace_bf16().
void run_bf16_chunk(const ConvArgs& args, const Bf16Geometry& g, const Bf16Chunk& chunk,
                    std::uint16_t* inputs, int first_pair, int last_pair);

}  // namespace concertina::kernels
