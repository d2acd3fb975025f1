#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "kernels/training/conv.h"

/// How a convolution of a trainer walks through its maps.
namespace concertina::kernels {

/// Inputs that lie side by side: those of a tap, or of all taps in a row of the window.
struct Run {
  int row = 0, column = 0;           ///< where it begins, from the output's first input on
  std::vector<std::ptrdiff_t> taps;  ///< their places in the filter, [h][w], in the order of the inputs
};

/// Outputs whose windows see the same taps: all of a convolution, or those of an input's gradient at which
/// the strides fall alike. Output (i, j) sees the source from (i * stride_h - top, j * stride_w - left) on.
struct Sweep {
  int rows = 0, columns = 0;
  int stride_h = 1, stride_w = 1;
  int top = 0, left = 0;
  int span_h = 1, span_w = 1;                                   ///< rows and columns that an output sees
  std::vector<Run> runs;                                        ///< all as long; empty: the outputs are 0
  int to_row = 0, to_column = 0, to_step_h = 1, to_step_w = 1;  ///< in the map of the outputs
  /// Rows are too short for a unit's blocks, which take the same pixel of several images instead.
  bool by_image = false;

  int taps_in_run() const { return runs.empty() ? 0 : static_cast<int>(runs[0].taps.size()); }
};

/// How pixels and taps lie: with `apart`, each tap is a run of its own.
struct SweepShape {
  int images = 1;
  int least_columns = 1;  ///< of the unit
  bool apart = false;
};

Sweep forward_sweep(const WindowArgs& window, const SweepShape& shape);

/// For every remainder of row and column by the strides, the sweep over the output's gradient that gives the
/// input's there.
std::vector<Sweep> gradient_sweeps(const WindowArgs& window, const SweepShape& shape);

/// Some outputs: rows of some images.
struct SweepChunk {
  int image = 0, images = 0;
  int row = 0, rows = 0;
};

/// A chunk's inputs in a thread's memory, padded. A row's pixels follow each other, or the same pixel of all
/// images does.
struct SweepLayout {
  std::ptrdiff_t image = 0, row = 0, column = 0;  ///< inputs from one to the next
  int in_rows = 0, in_columns = 0;
  std::ptrdiff_t size = 0;  ///< inputs

  SweepLayout(const Sweep& sweep, const SweepChunk& chunk, int channels);
};

/// The sweep's outputs in chunks whose inputs take about `bytes`. They do not depend on the number of
/// threads.
std::vector<SweepChunk> chunks_of(const Sweep& sweep, int images, int channels, const TrainingUnit& unit,
                                  std::ptrdiff_t bytes);

/// Bytes of a chunk whose inputs stay in the second-level cache while all panels read them. Of maps that are
/// multiplied image after image, as many images as fill a block.
std::ptrdiff_t chunk_bytes(const Sweep& sweep, int channels, const TrainingUnit& unit);
inline constexpr std::ptrdiff_t kLeastChunkBytes = 256 * 1024, kMostChunkBytes = 1024 * 1024;

/// What units read past the last of a chunk's inputs: vectors, and pixels of a block that is not full.
std::ptrdiff_t spare_bytes(const Sweep& sweep, int channels);

/// A map as the sweep's source: the channels of one group.
struct SweepSource {
  const void* values = nullptr;
  Element element = Element::fp32;
  int height = 0, width = 0;
  std::ptrdiff_t pixel = 0;  ///< values from pixel to pixel
  std::ptrdiff_t first = 0;  ///< the group's first channel
  int channels = 0;
};

/// Copies what a chunk sees, as the unit takes it, with zeros around.
void load_chunk(const Sweep& sweep, const SweepChunk& chunk, const SweepLayout& layout,
                const SweepSource& source, const TrainingUnit& unit, void* to);

/// Bytes of one input.
inline std::ptrdiff_t input_bytes(const TrainingUnit& unit) {
  return unit.bf16 ? 2 : 4;
}
inline std::ptrdiff_t element_bytes(Element element) {
  return element == Element::bf16 ? 2 : 4;
}

}  // namespace concertina::kernels
