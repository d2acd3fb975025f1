// Per-target include guard.
#if defined(CONCERTINA_KERNELS_CONV_ROWS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CONCERTINA_KERNELS_CONV_ROWS_INL_H_
#undef CONCERTINA_KERNELS_CONV_ROWS_INL_H_
#else
#define CONCERTINA_KERNELS_CONV_ROWS_INL_H_
#endif

#include "kernels/conv_panel-inl.h"
#include "kernels/row_tile-inl.h"

// Convolution by row tiles. An input value is broadcast once for all the taps of a kernel row, where the
// tiles of conv.cc broadcast it for each tap, and the rows of the filter that lie in the padding cost
// nothing.

HWY_BEFORE_NAMESPACE();
namespace concertina::kernels::HWY_NAMESPACE {
namespace {

/// Adds `run` input channels; x[i] is the address of input i's first one.
template <class Row, int kPixels, int kVectors>
HWY_INLINE void add_channels(Tile<kPixels, kVectors>& tile, const float* const* x, const float* weights,
                             std::ptrdiff_t tap_size, int run) {
  for (int c = 0; c < run; ++c, weights += kPanel) {
    const RowWeights<Row::kTaps, kVectors> w(weights, tap_size);
    add_inputs<Row>(tile, w, [&](int i) HWY_ATTR { return hn::Set(kTag, x[i][c]); });
  }
}

/// Adds what a tile sees of a plain input under row i of the kernel.
template <class Row, int kPixels, int kVectors>
HWY_INLINE void add_planes(Tile<kPixels, kVectors>& tile, const PanelJob& job, const RowPlace& place, int i,
                           std::ptrdiff_t tap_size) {
  constexpr int kInputs = kRowInputs<Row, kPixels>;
  const WindowArgs& window = job.args.window;
  const float* row = place.plane_row(window, job.input, job.args.image_stride, i);
  const bool edges_only = has_edges_only(window, place, kInputs);
  alignas(64) float copy[kInputs];
  for (const ChannelRange& range : job.inputs) {
    const float* plane = row + range.input_offset * job.args.plane;
    const float* weights =
        job.weights + i * Row::kTaps * tap_size + std::ptrdiff_t{range.weight_begin} * kPanel;
    for (int c = 0; c < range.count; ++c, plane += job.args.plane, weights += kPanel) {
      EdgeRow x = edge_row(window, place, plane, 1, kInputs);
      if (!edges_only) {
        place.copy_padded(window, plane, kInputs, copy);
        x = {copy, copy + kInputs - 1, copy};
      }
      const RowWeights<Row::kTaps, kVectors> w(weights, tap_size);
      add_inputs<Row>(tile, w, [&](int at) HWY_ATTR {
        return hn::Set(kTag, at == 0 ? *x.first : at + 1 == kInputs ? *x.last : x.row[at]);
      });
    }
  }
}

/// Output pixels x .. x + pixels - 1 of a row.
template <class Row, int kPixels, int kVectors>
void run_row_tile(const PanelJob& job, int out_row, int x, int pixels) {
  constexpr int kInputs = kRowInputs<Row, kPixels>;
  const WindowArgs& window = job.args.window;
  const std::ptrdiff_t stride = job.args.input_stride;
  const std::ptrdiff_t tap_size = static_cast<std::ptrdiff_t>(job.args.filter.in_channels) * kPanel;
  const RowPlace place(window, out_row, x);
  Tile<kPixels, kVectors> tile;
  for (int i = place.begin; i < place.end; ++i) {
    if constexpr (Row::kTaps > 1) {
      if (job.args.plane != 0) {
        add_planes<Row>(tile, job, place, i, tap_size);
        continue;
      }
    }
    const float* row = place.row(window, job.input, stride, i);
    for (const ChannelRange& range : job.inputs) {
      const float* weights =
          job.weights + i * Row::kTaps * tap_size + std::ptrdiff_t{range.weight_begin} * kPanel;
      for (int begin = 0; begin < range.count; begin += kMaxRun) {
        const int run = std::min(range.count - begin, kMaxRun);
        const float* inputs[kInputs];
        place.point(window, row + range.input_offset + begin, stride, kInputs, inputs);
        add_channels<Row>(tile, inputs, weights + std::ptrdiff_t{begin} * kPanel, tap_size, run);
      }
    }
  }
  tile.finish(tile_output(job, out_row * window.out_w + x, pixels));
}

using RowTileFunction = void (*)(const PanelJob&, int out_row, int x, int pixels);

template <class Row, int kVectors>
constexpr auto kRowTiles = tile_functions<RowTileFunction, kMaxRowPixels<Row, kVectors>>(
    std::conditional_t<kVectors == 1, LongLengths, ShortLengths>(),
    []<int kPixels>(std::integral_constant<int, kPixels>) -> RowTileFunction {
      return run_row_tile<Row, kPixels, kVectors>;
    });

/// None where there are no row tiles for this window.
TileTable<RowTileFunction> conv_row_tiles(const WindowArgs& w, int vectors) {
  if (w.dilation_h != 1 || w.dilation_w != 1) return {};
  const auto tiles = [&]<class Row>(Row) {
    return vectors == 1 ? TileTable(kRowTiles<Row, 1>) : TileTable(kRowTiles<Row, 2>);
  };
  if (w.kernel_w == 1 && w.stride_w == 1) return tiles(KernelRow<1, 1>());
  if (w.kernel_w == 1 && w.stride_w == 2) return tiles(KernelRow<1, 2>());
  if (w.kernel_w == 3 && w.stride_w == 1) return tiles(KernelRow<3, 1>());
  if (w.kernel_w == 3 && w.stride_w == 2) return tiles(KernelRow<3, 2>());
  if constexpr (k32Registers) {  // with fewer, the weights of a row leave too few for sums
    if (w.kernel_w == 5 && w.stride_w == 1) return tiles(KernelRow<5, 1>());
    if (w.kernel_w == 7 && w.stride_w == 2) return tiles(KernelRow<7, 2>());
  }
  return {};
}

}  // namespace
}  // namespace concertina::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
