#include "kernels/depthwise.h"

#include <algorithm>

#include "kernels/layout.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/depthwise.cc"
#include "hwy/foreach_target.h"  // must come before highway.h
#include "hwy/highway.h"
#include "kernels/vector_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace concertina::kernels::HWY_NAMESPACE {
namespace {

template <class Row>
HWY_INLINE RowWeights<Row::kTaps, 1> row_weights(const DepthwiseArgs& args, int kernel_row, int c) {
  const std::ptrdiff_t tap_size = round_up(args.full_channels, kLanes);
  return {args.packed + kernel_row * Row::kTaps * tap_size + c, tap_size};
}

struct DepthwiseTiles {
  using Args = DepthwiseArgs;

  static void run_tile(const DepthwiseArgs& args, int first, int pixels) {
    const Taps<kVectorTilePixels> taps(args.window, args.input_stride, first, pixels);
    const std::ptrdiff_t row = round_up(args.full_channels, kLanes);
    const float* x[kMaxDepthwiseTaps][kVectorTilePixels];
    const auto same = [](V v) HWY_ATTR { return v; };
    for (int begin = 0; begin < args.channels; begin += kMaxRun) {
      taps.point(args.input + begin, 0, args.window.taps(), x);
      const int count = std::min(args.channels - begin, kMaxRun);
      for (int c = 0; c < count; c += kLanes) {
        Tile<kVectorTilePixels, 1> tile;
        const float* w = args.packed + begin + c;
        for (int t = 0; t < args.window.taps(); ++t, w += row)
          add_vectors(tile, x[t], c, same, hn::Load(kTag, w));
        tile.finish(tile_output<1>(args, first, begin + c, pixels, kLanes));
      }
    }
  }

  /// Output pixels x .. x + pixels - 1 of a row.
  template <class Row, int kPixels>
  static void run_row_tile(const DepthwiseArgs& args, int out_row, int x, int pixels) {
    constexpr int kInputs = kRowInputs<Row, kPixels>;
    const WindowArgs& window = args.window;
    const RowPlace place(window, out_row, x);
    const int first = out_row * window.out_w + x;
    const std::ptrdiff_t stride = args.input_stride;
    const auto row = [&](int i) { return place.row(window, args.input, stride, i); };
    if (args.channels <= kMaxRun && has_edges_only(window, place, kInputs)) {
      EdgeRow rows[kMaxRowKernelHeight];
      for (int i = place.begin; i < place.end; ++i)
        rows[i] = edge_row(window, place, row(i), stride, kInputs);
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
        tile.finish(tile_output<1>(args, first, c, pixels, kLanes));
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
        tile.finish(tile_output<1>(args, first, begin + c, pixels, kLanes));
      }
    }
  }
};

void depthwise(const DepthwiseArgs& args, ThreadPool& pool) {
  const auto tiles = vector_row_tiles<DepthwiseTiles, KernelRow<5, 1>, KernelRow<5, 2>>(args.window);
  run_vector_tiles<DepthwiseTiles>(args, tiles.evenly(args.window.out_w), pool);
}

}  // namespace
}  // namespace concertina::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace concertina::kernels {

std::size_t packed_size_depthwise(int channels, int taps) {
  return panels_size(channels, 1, taps, vector_lanes());
}

void pack_depthwise(int channels, int taps, const float* weights, float* packed) {
  pack_panels(weights, channels, 1, taps, round_up(channels, vector_lanes()), packed);
}

CONCERTINA_EXPORT(depthwise, DepthwiseArgs)

}  // namespace concertina::kernels
#endif
