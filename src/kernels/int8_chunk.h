#pragma once

#include "base/aligned_buffer.h"
#include "kernels/int8_unit.h"

/// What int8_conv() does with a chunk (chunk.h): its inputs are quantised to 8 bits.
namespace concertina::kernels {

/// A thread's inputs.
struct Int8Geometry : ChunkGeometry {
  Int8Geometry(const WindowArgs& w, std::span<const ChannelRange> inputs) : ChunkGeometry(w) {
    most = 192 * 1024;
    for (const ChannelRange& range : inputs) channels += quads_of(range) * kQuad;
    pixel = channels;
  }

  /// Floats of memory for the largest chunk's inputs. The last vector that is stored may end behind them.
  std::size_t floats(const WindowArgs& w) const {
    constexpr int kSpare = 64;
    const auto bytes = static_cast<std::size_t>(elements(w, kSpare));
    return in_lines((bytes + sizeof(float) - 1) / sizeof(float));
  }
};

/// A filter as pack_int8() has left it.
struct Int8Weights {
  const float* scales = nullptr;  ///< [out_channels in whole panels]
  const std::int8_t* panels = nullptr;
  std::ptrdiff_t rows = 0;   ///< of a tap in a panel, each kQuadRow
  std::ptrdiff_t panel = 0;  ///< from panel to panel

  Int8Weights(const Filter& filter, const float* packed);
};

/// Pairs of panels first_pair .. last_pair - 1 of args' output for the chunk. memory: workspace_int8() of one
/// thread.
void run_int8_chunk(const ConvArgs& args, const Int8Geometry& g, const Chunk& chunk, float* memory,
                    int first_pair, int last_pair);

}  // namespace concertina::kernels
