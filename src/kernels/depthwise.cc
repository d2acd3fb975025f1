#include "kernels/depthwise.h"

#include <algorithm>

#include "kernels/target.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/depthwise.cc"
#include "hwy/foreach_target.h"  // must come before highway.h
#include "hwy/highway.h"
#include "kernels/vector_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace concertina::kernels::HWY_NAMESPACE {
namespace {

// Sums of eight pixels hide the latency of the multiply-adds, and each weight is loaded once for them.
constexpr int kTilePixels = 8;

void run_tile(const DepthwiseArgs& args, int first, int pixels) {
  const Taps<kTilePixels> taps(args.window, args.input_stride, first, pixels);
  const std::ptrdiff_t row = round_up(args.full_channels, kLanes);
  const float* x[kMaxDepthwiseTaps][kTilePixels];
  for (int begin = 0; begin < args.channels; begin += kMaxRun) {
    taps.point(args.input + begin, 0, args.window.taps(), x);
    const int count = std::min(args.channels - begin, kMaxRun);
    for (int c = 0; c < count; c += kLanes) {
      Tile<kTilePixels, 1> tile;
      const float* w = args.packed + begin + c;
      for (int t = 0; t < args.window.taps(); ++t, w += row) tile.add_lanes(x[t], c, hn::Load(kTag, w));
      tile.finish(vector_output(args, first, begin + c, pixels));
    }
  }
}

template <class Row>
HWY_INLINE RowWeights<Row::kTaps, 1> row_weights(const DepthwiseArgs& args, int kernel_row, int c) {
  const std::ptrdiff_t tap_size = round_up(args.full_channels, kLanes);
  return {args.packed + kernel_row * Row::kTaps * tap_size + c, tap_size};
}

/// Output pixels x .. x + pixels - 1 of a row.
template <class Row, int kPixels>
void run_row_tile(const DepthwiseArgs& args, int out_row, int x, int pixels) {
  constexpr int kInputs = kRowInputs<Row, kPixels>;
  const WindowArgs& window = args.window;
  const RowPlace place(window, out_row, x);
  const int first = out_row * window.out_w + x;
  const std::ptrdiff_t stride = args.input_stride;
  const auto row = [&](int i) { return place.row(window, args.input, stride, i); };
  if (args.channels <= kMaxRun && has_edges_only(window, place, kInputs)) {
    EdgeRow rows[kMaxRowKernelHeight];
    for (int i = place.begin; i < place.end; ++i) rows[i] = edge_row(window, place, row(i), stride, kInputs);
    for (int c = 0; c < args.channels; c += kLanes) {
      Tile<kPixels, 1> tile;
      for (int i = place.begin; i < place.end; ++i) {
        const float* next = rows[i].row + c;
        // Counting an address up is cheaper than reading it from a table.
        add_inputs<Row>(tile, row_weights<Row>(args, i, c), [&](int at) HWY_ATTR {
          const float* here = at == 0 ? rows[i].first + c : at + 1 == kInputs ? rows[i].last + c : next;
          next += stride;
          return hn::LoadU(kTag, here);
        });
      }
      tile.finish(vector_output(args, first, c, pixels));
    }
    return;
  }
  for (int begin = 0; begin < args.channels; begin += kMaxRun) {
    const float* inputs[kMaxRowKernelHeight][kInputs];
    for (int i = place.begin; i < place.end; ++i) {
      place.point(window, row(i) + begin, stride, kInputs, inputs[i]);
    }
    const int count = std::min(args.channels - begin, kMaxRun);
    for (int c = 0; c < count; c += kLanes) {
      Tile<kPixels, 1> tile;
      for (int i = place.begin; i < place.end; ++i) {
        add_inputs<Row>(tile, row_weights<Row>(args, i, begin + c),
                        [&](int at) HWY_ATTR { return hn::LoadU(kTag, inputs[i][at] + c); });
      }
      tile.finish(vector_output(args, first, begin + c, pixels));
    }
  }
}

using RowTileFunction = void (*)(const DepthwiseArgs&, int out_row, int x, int pixels);

template <class Row>
constexpr auto kRowTileFunctions = tile_functions<RowTileFunction, kMaxVectorPixels<Row>>(
    DepthwiseLengths(), []<int kPixels>(std::integral_constant<int, kPixels>) -> RowTileFunction {
      return run_row_tile<Row, kPixels>;
    });

template <class Row>
constexpr TileTable<RowTileFunction> kRowTiles = {kRowTileFunctions<Row>.data(), kMaxVectorPixels<Row>};

/// Null if there are none for this window.
const TileTable<RowTileFunction>* row_tiles(const WindowArgs& w) {
  if (w.dilation_h != 1 || w.dilation_w != 1 || w.kernel_h > kMaxRowKernelHeight) return nullptr;
  if (w.kernel_w == 3 && w.stride_w == 1) return &kRowTiles<KernelRow<3, 1>>;
  if (w.kernel_w == 3 && w.stride_w == 2) return &kRowTiles<KernelRow<3, 2>>;
  if constexpr (k32Registers) {
    if (w.kernel_w == 5 && w.stride_w == 1) return &kRowTiles<KernelRow<5, 1>>;
    if (w.kernel_w == 5 && w.stride_w == 2) return &kRowTiles<KernelRow<5, 2>>;
  }
  return nullptr;
}

void depthwise(const DepthwiseArgs& args, ThreadPool& pool) {
  const int rows = args.batch * args.window.out_h;
  const int width = args.window.out_w;
  if (const auto* all = row_tiles(args.window)) {
    const TileTable<RowTileFunction> tiles = all->evenly(width);
    pool.parallel_for(rows, [&](int row) {
      cover_rows(tiles, width, row * width, (row + 1) * width,
                 [&](RowTileFunction run, int, int x, int pixels) { run(args, row, x, pixels); });
    });
    return;
  }
  const int pixels = rows * width;
  pool.parallel_for(hwy::DivCeil(pixels, kTilePixels), [&](int tile) {
    const int first = tile * kTilePixels;
    run_tile(args, first, std::min(pixels - first, kTilePixels));
  });
}

}  // namespace
}  // namespace concertina::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace concertina::kernels {
namespace {

HWY_EXPORT(depthwise);

}  // namespace

std::size_t packed_depthwise_size(int channels, int taps) {
  return static_cast<std::size_t>(round_up(channels, vector_lanes())) * static_cast<std::size_t>(taps);
}

void pack_depthwise(int channels, int taps, const float* weights, float* packed) {
  const int row = round_up(channels, vector_lanes());
  for (int t = 0; t < taps; ++t) {
    for (int c = 0; c < row; ++c) *packed++ = c < channels ? weights[c * taps + t] : 0.0f;
  }
}

void depthwise(const DepthwiseArgs& args, ThreadPool& pool) {
  HWY_DYNAMIC_DISPATCH(depthwise)(args, pool);
}

}  // namespace concertina::kernels
#endif
