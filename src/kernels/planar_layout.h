#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include "kernels/conv_types.h"
#include "kernels/phases.h"

namespace concertina::kernels {

// The inputs of a chunk stay in the second-level cache.
inline constexpr std::ptrdiff_t kPlanarChunkFloats = 32 * 1024;

// Pixels of the longest tile, in vectors.
inline constexpr int kMaxPlanarVectors = 8;

// Floats of which a plane is a multiple: threads have lines of their own.
inline constexpr std::ptrdiff_t kPlaneUnit = 16;

/// A thread's inputs: a plane for each channel and phase.
struct PlanarLayout {
  Phases phases;
  int out_w;
  int lanes;
  bool whole_rows;  ///< each row begins with a vector, and not one vector after the other over all rows
  int channels = 0;

  PlanarLayout(const WindowArgs& window, std::span<const ChannelRange> inputs, int lanes_)
      : phases(window),
        out_w(window.out_w),
        lanes(lanes_),
        whole_rows(7 * round_up(out_w, lanes) <= 8 * phases.width) {
    for (const ChannelRange& range : inputs) channels += range.count;
  }

  /// Its last vector may begin at the last pixel.
  std::ptrdiff_t plane(int output_rows) const {
    const std::ptrdiff_t pixels = std::ptrdiff_t{output_rows + phases.halo} * phases.width;
    return (pixels + lanes) / kPlaneUnit * kPlaneUnit + kPlaneUnit;
  }
  /// Vectors of outputs.
  int vectors(int output_rows) const {
    if (whole_rows) return output_rows * ((out_w + lanes - 1) / lanes);
    return ((output_rows - 1) * phases.width + out_w + lanes - 1) / lanes;
  }
  /// All phases of a channel.
  std::ptrdiff_t planes(int output_rows) const { return phases.down * phases.across * plane(output_rows); }

  /// Output rows of a chunk.
  int most_rows(const WindowArgs& w) const {
    const std::ptrdiff_t row = std::ptrdiff_t{channels} * phases.down * phases.across * phases.width;
    return static_cast<int>(std::clamp<std::ptrdiff_t>(kPlanarChunkFloats / row - phases.halo, 1, w.out_h));
  }
};

}  // namespace concertina::kernels
