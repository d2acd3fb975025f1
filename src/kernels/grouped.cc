#include "kernels/grouped.h"

#include <algorithm>

#include "kernels/depthwise.h"
#include "kernels/target.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/grouped.cc"
#include "hwy/foreach_target.h"  // must come before highway.h
#include "hwy/highway.h"
#include "kernels/vector_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace concertina::kernels::HWY_NAMESPACE {
namespace {

constexpr int kTilePixels = 8;

/// In each lane of a vector, input number `input` of the lane's group.
class GroupInput {
 public:
  HWY_INLINE GroupInput(int group, int input) {
    for (int l = 0; l < kLanes; ++l) lanes_[l] = l / group * group + input;
  }
  HWY_INLINE V operator()(V inputs) const {
    return hn::TableLookupLanes(inputs, hn::SetTableIndices(kTag, lanes_));
  }

 private:
  alignas(64) std::int32_t lanes_[kLanes];
};

/// The weights of a vector of outputs.
const float* weights_of(const ConvArgs& args, int channel) {
  return args.packed + static_cast<std::ptrdiff_t>(channel) * args.filter.taps * args.filter.in_channels;
}

void run_tile(const ConvArgs& args, int channels, int first, int pixels) {
  const int group = args.filter.in_channels;
  const Taps<kTilePixels> taps(args.window, args.input_stride, first, pixels);
  const float* x[kMaxDepthwiseTaps][kTilePixels];
  for (int begin = 0; begin < channels; begin += kMaxRun) {
    taps.point(args.input + begin, 0, args.window.taps(), x);
    const int count = std::min(channels - begin, kMaxRun);
    for (int c = 0; c < count; c += kLanes) {
      Tile<kTilePixels, 1> tile;
      for (int j = 0; j < group; ++j) {
        const GroupInput input(group, j);
        const float* w = weights_of(args, begin + c) + j * kLanes;
        for (int t = 0; t < args.window.taps(); ++t, w += group * kLanes)
          add_vectors(tile, x[t], c, input, hn::Load(kTag, w));
      }
      tile.finish(vector_output(args, first, begin + c, pixels));
    }
  }
}

/// Output pixels x .. x + pixels - 1 of a row.
template <class Row, int kPixels>
void run_row_tile(const ConvArgs& args, int channels, int out_row, int x, int pixels) {
  constexpr int kInputs = kRowInputs<Row, kPixels>;
  const WindowArgs& window = args.window;
  const int group = args.filter.in_channels;
  const std::ptrdiff_t tap_size = std::ptrdiff_t{group} * kLanes;
  const RowPlace place(window, out_row, x);
  for (int begin = 0; begin < channels; begin += kMaxRun) {
    const float* inputs[kMaxRowKernelHeight][kInputs];
    for (int i = place.begin; i < place.end; ++i) {
      place.point(window, place.row(window, args.input, args.input_stride, i) + begin, args.input_stride,
                  kInputs, inputs[i]);
    }
    const int count = std::min(channels - begin, kMaxRun);
    for (int c = 0; c < count; c += kLanes) {
      Tile<kPixels, 1> tile;
      for (int j = 0; j < group; ++j) {
        const GroupInput input(group, j);
        for (int i = place.begin; i < place.end; ++i) {
          const float* first = weights_of(args, begin + c) + i * Row::kTaps * tap_size + j * kLanes;
          const RowWeights<Row::kTaps, 1> w(first, tap_size);
          add_inputs<Row>(tile, w,
                          [&](int at) HWY_ATTR { return input(hn::LoadU(kTag, inputs[i][at] + c)); });
        }
      }
      tile.finish(vector_output(args, out_row * window.out_w + x, begin + c, pixels));
    }
  }
}

using RowTileFunction = void (*)(const ConvArgs&, int channels, int out_row, int x, int pixels);

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
  return nullptr;
}

void grouped_conv(const ConvArgs& args, ThreadPool& pool) {
  const int channels = args.groups * args.filter.out_channels;
  const int rows = args.batch * args.window.out_h;
  const int width = args.window.out_w;
  if (const auto* tiles = row_tiles(args.window)) {
    pool.parallel_for(rows, [&](int row) {
      cover_rows(*tiles, width, row * width, (row + 1) * width,
                 [&](RowTileFunction run, int, int x, int pixels) { run(args, channels, row, x, pixels); });
    });
    return;
  }
  const int pixels = rows * width;
  pool.parallel_for(hwy::DivCeil(pixels, kTilePixels), [&](int tile) {
    const int first = tile * kTilePixels;
    run_tile(args, channels, first, std::min(pixels - first, kTilePixels));
  });
}

}  // namespace
}  // namespace concertina::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace concertina::kernels {
namespace {

HWY_EXPORT(grouped_conv);

}  // namespace

bool grouped_can(const Filter& f) {
  const bool square = f.in_channels == f.out_channels;
  return f.groups > 1 && square && f.in_channels < vector_lanes() && vector_lanes() % f.in_channels == 0 &&
         f.taps <= kMaxDepthwiseTaps;
}

std::size_t packed_grouped_size(const Filter& f) {
  return static_cast<std::size_t>(round_up(f.groups * f.out_channels, vector_lanes())) *
         static_cast<std::size_t>(f.taps) * static_cast<std::size_t>(f.in_channels);
}

void pack_grouped(const Filter& f, const float* oihw, float* packed) {
  const int channels = f.groups * f.out_channels;
  const int lanes = vector_lanes();
  for (int begin = 0; begin < channels; begin += lanes) {
    for (int t = 0; t < f.taps; ++t) {
      for (int c = 0; c < f.in_channels; ++c) {
        for (int k = begin; k < begin + lanes; ++k) {
          *packed++ =
              k < channels ? oihw[(static_cast<std::ptrdiff_t>(k) * f.in_channels + c) * f.taps + t] : 0.0f;
        }
      }
    }
  }
}

void grouped_conv(const ConvArgs& args, ThreadPool& pool) {
  HWY_DYNAMIC_DISPATCH(grouped_conv)(args, pool);
}

}  // namespace concertina::kernels
#endif
