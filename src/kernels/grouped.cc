#include "kernels/grouped.h"

#include <algorithm>

#include "kernels/depthwise.h"
#include "kernels/layout.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/grouped.cc"
#include "hwy/foreach_target.h"  // must come before highway.h
#include "hwy/highway.h"
#include "kernels/vector_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace concertina::kernels::HWY_NAMESPACE {
namespace {

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

struct GroupedTiles {
  using Args = ConvArgs;

  static void run_tile(const ConvArgs& args, int first, int pixels) {
    const int channels = args.groups * args.filter.out_channels;
    const int group = args.filter.in_channels;
    const Taps<kVectorTilePixels> taps(args.window, args.input_stride, first, pixels);
    const float* x[kMaxDepthwiseTaps][kVectorTilePixels];
    for (int begin = 0; begin < channels; begin += kMaxRun) {
      taps.point(args.input + begin, 0, args.window.taps(), x);
      const int count = std::min(channels - begin, kMaxRun);
      for (int c = 0; c < count; c += kLanes) {
        Tile<kVectorTilePixels, 1> tile;
        for (int j = 0; j < group; ++j) {
          const GroupInput input(group, j);
          const float* w = weights_of(args, begin + c) + j * kLanes;
          for (int t = 0; t < args.window.taps(); ++t, w += group * kLanes)
            add_vectors(tile, x[t], c, input, hn::Load(kTag, w));
        }
        tile.finish(tile_output<1>(args, first, begin + c, pixels, kLanes));
      }
    }
  }

  /// Output pixels x .. x + pixels - 1 of a row.
  template <class Row, int kPixels>
  static void run_row_tile(const ConvArgs& args, int out_row, int x, int pixels) {
    constexpr int kInputs = kRowInputs<Row, kPixels>;
    const WindowArgs& window = args.window;
    const int channels = args.groups * args.filter.out_channels;
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
        tile.finish(tile_output<1>(args, out_row * window.out_w + x, begin + c, pixels, kLanes));
      }
    }
  }
};

void grouped_conv(const ConvArgs& args, ThreadPool& pool) {
  run_vector_tiles<GroupedTiles>(args, vector_row_tiles<GroupedTiles>(args.window), pool);
}

}  // namespace
}  // namespace concertina::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace concertina::kernels {

bool can_run_grouped(const Filter& f) {
  const bool square = f.in_channels == f.out_channels;
  return f.groups > 1 && square && f.in_channels < vector_lanes() && vector_lanes() % f.in_channels == 0 &&
         f.taps <= kMaxDepthwiseTaps;
}

std::size_t packed_size_grouped(const Filter& f) {
  return panels_size(f.groups * f.out_channels, f.in_channels, f.taps, vector_lanes());
}

void pack_grouped(const Filter& f, const float* oihw, float* packed) {
  pack_panels(oihw, f.groups * f.out_channels, f.in_channels, f.taps, vector_lanes(), packed);
}

CONCERTINA_EXPORT(grouped_conv, ConvArgs)

}  // namespace concertina::kernels
#endif
