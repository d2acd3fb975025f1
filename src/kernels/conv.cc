#include "kernels/conv.h"

#include <algorithm>
#include <array>
#include <utility>

#include "kernels/layout.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/conv.cc"
#include "hwy/foreach_target.h"  // must come before highway.h
#include "hwy/highway.h"
#include "kernels/conv_panel-inl.h"
#include "kernels/conv_pointwise-inl.h"
#include "kernels/conv_rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace concertina::kernels::HWY_NAMESPACE {
namespace {

// The inputs of one block of pixels stay in the second-level cache while all panels pass over them.
constexpr std::ptrdiff_t kBlockBytes = 256 * 1024;

// Taps whose input pointers are looked up at once.
constexpr int kTapBlock = 64;

template <int kPixels, int kVectors>
void run_tile(const PanelJob& job, int first, int pixels) {
  const WindowArgs& window = job.args.window;
  const std::ptrdiff_t tap_size = static_cast<std::ptrdiff_t>(job.args.filter.in_channels) * kPanel;
  const Taps<kPixels> taps(window, job.args.input_stride, first, pixels);
  const float* x[kTapBlock][kPixels];
  Tile<kPixels, kVectors> tile;
  for (const ChannelRange& range : job.inputs) {
    for (int begin = 0; begin < range.count; begin += kMaxRun) {
      const int run = std::min(range.count - begin, kMaxRun);
      for (int tap = 0; tap < window.taps(); tap += kTapBlock) {
        const int block = std::min(window.taps() - tap, kTapBlock);
        taps.point(job.input + range.input_offset + begin, tap, block, x);
        const float* weights =
            job.weights + tap * tap_size + static_cast<std::ptrdiff_t>(range.weight_begin + begin) * kPanel;
        for (int t = 0; t < block; ++t, weights += tap_size) {
          const float* w = weights;
          for (int c = 0; c < run; ++c, w += kPanel) {
            tile.add_broadcast(x[t], c, hn::Load(kTag, w), hn::Load(kTag, w + kLanes));
          }
        }
      }
    }
  }
  tile.finish(tile_output(job, first, pixels));
}

template <int kVectors>
constexpr auto kTiles = tile_functions<PixelsFunction, kTilePixels>(
    Lengths<1, 4, 7>(), []<int kPixels>(std::integral_constant<int, kPixels>) -> PixelsFunction {
      return run_tile<kPixels, kVectors>;
    });

/// Vectors of output channels that the panel has.
int panel_vectors(const ConvArgs& args, int panel) {
  const int panels = hwy::DivCeil(args.out_channels, kPanel);  // of each group
  return args.out_channels - panel % panels * kPanel <= kLanes ? 1 : 2;
}

PanelJob panel_job(const ConvArgs& args, int panel, const ChannelRange& whole_group) {
  const int panels = hwy::DivCeil(args.out_channels, kPanel);
  const int group = panel / panels;
  const int begin = panel % panels * kPanel;
  const int active = std::min(args.out_channels - begin, kPanel);
  const std::size_t group_size = packed_size_conv(args.filter) / static_cast<std::size_t>(args.filter.groups);
  const std::size_t panel_size =
      static_cast<std::size_t>(args.filter.taps) * args.filter.in_channels * kPanel;
  const bool grouped = args.filter.groups > 1;
  return {
      .args = args,
      .weights = args.packed + group * group_size + panel % panels * panel_size,
      .input = args.input + group * args.filter.in_channels,
      .inputs = grouped ? std::span(&whole_group, 1) : args.inputs,
      .channel = group * args.out_channels + begin,
      .tail = grouped ? active - (panel_vectors(args, panel) - 1) * kLanes : kLanes,
  };
}

/// Output pixels first .. last - 1 of one panel, counted over the batch.
void run_panel(const ConvArgs& args, int panel, int first, int last) {
  const ChannelRange whole_group{.count = args.filter.in_channels};
  const PanelJob job = panel_job(args, panel, whole_group);
  const int vectors = panel_vectors(args, panel);
  const auto run_pixels = [&](PixelsFunction run, int at, int pixels) { run(job, at, pixels); };
  if (is_pointwise(args.window)) {
    return cover_pixels(vectors == 1 ? TileTable(kPointwiseTiles<1>) : TileTable(kPointwiseTiles<2>), first,
                        last, run_pixels);
  }
  if (const TileTable rows = conv_row_tiles(args.window, vectors)) {
    return cover_rows(rows, args.window.out_w, first, last,
                      [&](RowTileFunction run, int row, int x, int pixels) { run(job, row, x, pixels); });
  }
  cover_pixels(TileTable(vectors == 1 ? kTiles<1> : kTiles<2>), first, last, run_pixels);
}

/// The same of panel and panel + 1. Precondition: prefers_wide().
void run_two_panels(const ConvArgs& args, int panel, int first, int last) {
  if ((panel + 1) * kPanel >= args.out_channels) return run_panel(args, panel, first, last);
  if constexpr (k32Registers) {
    const ChannelRange whole_group;
    const PanelJob left = panel_job(args, panel, whole_group);
    const PanelJob right = panel_job(args, panel + 1, whole_group);
    if (panel_vectors(args, panel + 1) == 1) return run_wide<1>(left, right, first, last);
    run_wide<2>(left, right, first, last);
  }
}

/// Into how many blocks the pixels are cut, in whole rows or tiles; each is one call for each panel.
int count_blocks(const ConvArgs& args, int units, int panels, int threads) {
  const WindowArgs& w = args.window;
  const std::ptrdiff_t input_bytes = args.batch * args.input_stride * w.in_h * w.in_w * 4;
  std::ptrdiff_t blocks = hwy::DivCeil(input_bytes, kBlockBytes);
  if (threads > 1) {
    // Threads share the pixels, which they find in their own caches, unless the weights are much larger: what
    // another core has written is slower to read than weights.
    const std::ptrdiff_t weight_bytes =
        std::ptrdiff_t{panels} * kPanel * w.taps() * args.filter.in_channels * 4;
    if (weight_bytes < 4 * input_bytes || panels < threads) blocks = hwy::DivCeil(blocks, threads) * threads;
  }
  return static_cast<int>(std::min<std::ptrdiff_t>(blocks, units));
}

/// A convolution that treats every pixel alone sees the whole batch as one long row.
void join_rows(ConvArgs& args) {
  if (!is_pointwise(args.window)) return;
  const int pixels = args.batch * args.window.in_h * args.window.in_w;
  args.batch = 1;
  args.window = {.in_w = pixels, .out_w = pixels};
}

bool reads_planes(const WindowArgs& window) {
  return window.kernel_w > 1 && conv_row_tiles(window, 2);
}

void conv(const ConvArgs& wanted, ThreadPool& pool) {
  ConvArgs args = wanted;
  join_rows(args);
  const int pixels = args.batch * args.window.out_h * args.window.out_w;
  const int panels = args.groups * hwy::DivCeil(args.out_channels, kPanel);
  const bool whole_rows = args.window.out_w < pixels && conv_row_tiles(args.window, 2);
  const int unit = whole_rows ? args.window.out_w : 1;
  const int units = whole_rows ? pixels / unit : hwy::DivCeil(pixels, kTilePixels);
  const int blocks = count_blocks(args, units, panels, pool.size());
  const bool wide = prefers_wide(args);
  const int columns = wide ? hwy::DivCeil(panels, 2) : panels;
  pool.parallel_for(blocks * columns, [&](int call) {
    const int block = call / columns, column = call % columns;
    const int first = part_begin(pixels / unit, blocks, block) * unit;
    const int last = part_begin(pixels / unit, blocks, block + 1) * unit;
    if (wide) {
      run_two_panels(args, 2 * column, first, last);
    } else {
      run_panel(args, column, first, last);
    }
  });
}

}  // namespace
}  // namespace concertina::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace concertina::kernels {
HWY_EXPORT(reads_planes);

std::size_t packed_size_conv(const Filter& f) {
  return static_cast<std::size_t>(f.groups) *
         panels_size(f.out_channels, f.in_channels, f.taps, 2 * vector_lanes());
}

void pack_conv(const Filter& f, const float* oihw, float* packed) {
  for (int g = 0; g < f.groups; ++g) {
    const float* filters = oihw + std::ptrdiff_t{g} * f.out_channels * f.in_channels * f.taps;
    packed = pack_panels(filters, f.out_channels, f.in_channels, f.taps, 2 * vector_lanes(), packed);
  }
}

bool conv_reads_planes(const WindowArgs& window) {
  return HWY_DYNAMIC_DISPATCH(reads_planes)(window);
}

CONCERTINA_EXPORT(conv, ConvArgs)

}  // namespace concertina::kernels
#endif
