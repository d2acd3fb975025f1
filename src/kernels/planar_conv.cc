#include "kernels/planar_conv.h"

#include <algorithm>

#include "kernels/layout.h"
#include "kernels/planar_layout.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/planar_conv.cc"
#include "hwy/foreach_target.h"  // must come before highway.h
#include "hwy/highway.h"
#include "kernels/conv_panel-inl.h"
#include "kernels/planar_split-inl.h"

HWY_BEFORE_NAMESPACE();
namespace concertina::kernels::HWY_NAMESPACE {
namespace {

#if HWY_TARGET == HWY_SCALAR

void planar_conv(const ConvArgs&, float*, ThreadPool&) {}  // can_run_planar() is false

#else

/// Output channels of a tile: whole blocks.
constexpr int kMaxChannels = k32Registers ? 8 : 4;

/// Some vectors of pixels: inputs, or the sums of one output channel.
template <int kVectors>
struct Run {
  Run<kVectors - 1> before;
  V last;

  HWY_INLINE Run() : last(hn::Zero(kTag)) {}
  HWY_INLINE Run(const float* const* p, std::ptrdiff_t offset)
      : before(p, offset), last(hn::LoadU(kTag, p[kVectors - 1] + offset)) {}

  HWY_INLINE void add(const Run& x, V w) {
    before.add(x.before, w);
    last = hn::MulAdd(x.last, w, last);
  }
  HWY_INLINE void store(float* p) const {
    before.store(p);
    hn::Store(last, kTag, p + std::ptrdiff_t{kVectors - 1} * kLanes);
  }
};

template <>
struct Run<0> {
  HWY_INLINE Run() {}
  HWY_INLINE Run(const float* const*, std::ptrdiff_t) {}
  HWY_INLINE void add(const Run&, V) {}
  HWY_INLINE void store(float*) const {}
};

/// The sums of kChannels output channels.
template <int kChannels, int kVectors>
struct PlanarTile {
  PlanarTile<kChannels - 1, kVectors> before;
  Run<kVectors> sums;

  HWY_INLINE PlanarTile() {}
  HWY_INLINE void add(const Run<kVectors>& x, const float* w) {
    before.add(x, w);
    sums.add(x, hn::Set(kTag, w[kChannels - 1]));
  }
  HWY_INLINE void store(float* p) const {
    before.store(p);
    sums.store(p + (kChannels - 1) * kMaxPlanarVectors * kLanes);
  }
};

template <int kVectors>
struct PlanarTile<0, kVectors> {
  HWY_INLINE PlanarTile() {}
  HWY_INLINE void add(const Run<kVectors>&, const float*) {}
  HWY_INLINE void store(float*) const {}
};

/// The sums of the pixels whose inputs begin at x, a vector each -> sums
/// [kChannels][kMaxPlanarVectors * kLanes].
template <int kChannels, int kVectors>
void run_tile(const PlanarChunk& chunk, const float* const* x, int channel, float* sums) {
  const ConvArgs& args = chunk.args;
  const int taps = args.filter.taps;
  const std::ptrdiff_t tap_size = static_cast<std::ptrdiff_t>(args.filter.in_channels) * kPanel;
  const std::ptrdiff_t next = chunk.layout.planes(chunk.rows);
  const float* weights = args.packed + channel / kPanel * (taps * tap_size) + channel % kPanel;
  const float* inputs[kVectors];
  for (int i = 0; i < kVectors; ++i) inputs[i] = x[i];
  std::ptrdiff_t plane = 0;
  PlanarTile<kChannels, kVectors> tile;
  for (const ChannelRange& range : args.inputs) {
    const float* of_range = weights + std::ptrdiff_t{range.weight_begin} * kPanel;
    for (int c = 0; c < range.count; ++c, of_range += kPanel, plane += next) {
      const float* w = of_range;
      for (int t = 0; t < taps; ++t, w += tap_size) {
        tile.add(Run<kVectors>(inputs, plane + chunk.taps[t]), w);
      }
    }
  }
  tile.store(sums);
}

using PlanarFunction = void (*)(const PlanarChunk&, const float* const* x, int channel, float* sums);

template <int kChannels>
constexpr int kMaxVectors = std::min(kMaxPlanarVectors, ((k32Registers ? 31 : 15) - 1) / (kChannels + 1));

#if defined(CONCERTINA_SANITIZED)
using PlanarLengths = Lengths<1>;
#else
using PlanarLengths = Lengths<2, 4>;
#endif

template <int kChannels>
constexpr auto kPlanarTiles = tile_functions<PlanarFunction, kMaxVectors<kChannels>>(
    PlanarLengths(), []<int kVectors>(std::integral_constant<int, kVectors>) -> PlanarFunction {
      return run_tile<kChannels, kVectors>;
    });

/// Tiles of so many channels or a few more.
const TileTable<PlanarFunction>& planar_tiles(int channels) {
  static constexpr auto tiles = []<int kChannels>(std::integral_constant<int, kChannels>) {
    return TileTable(kPlanarTiles<kChannels>);
  };
  static constexpr TileTable<PlanarFunction> kTables[] = {
      tiles(std::integral_constant<int, 1>()),
      tiles(std::integral_constant<int, 2>()),
      tiles(std::integral_constant<int, 3>()),
      tiles(std::integral_constant<int, 4>()),
      tiles(std::integral_constant<int, std::min(6, kMaxChannels)>()),
      tiles(std::integral_constant<int, kMaxChannels>())};
  constexpr int kIndex[] = {0, 1, 2, 3, 4, 4, 5, 5};
  return kTables[kIndex[channels - 1]];
}

/// Floats from pixel to pixel of what is added.
HWY_INLINE std::ptrdiff_t residual_step(const Epilogue& e) {
  return e.residual == nullptr ? 0 : e.residual_stride;
}

/// Where the outputs of a vector of pixels go, and what is added to them: to kLanes pixels of one row, or
/// each to a place of its own, which is a sink for those between the rows.
struct Places {
  bool together;
  float* output[kLanes];  // if together, only the first
  const float* residual[kLanes];
};

/// Walks through the outputs of a chunk.
class Walk {
 public:
  Walk(const PlanarChunk& chunk, float* sink) : chunk_(chunk), sink_(sink) {}

  int vectors() const { return chunk_.layout.vectors(chunk_.rows); }

  /// The next vector: where its inputs begin.
  const float* take(Places& to) {
    const PlanarLayout& layout = chunk_.layout;
    const int width = chunk_.args.window.out_w;
    const float* inputs = chunk_.planes + std::ptrdiff_t{y_} * layout.phases.width + x_;
    to.together = x_ + kLanes <= width;
    if (to.together) {
      to.output[0] = output(x_);
      to.residual[0] = residual(x_);
      x_ += kLanes;
    } else {
      scatter(to);
    }
    if (layout.whole_rows && x_ >= width) begin_row();
    return inputs;
  }

 private:
  float* output(int x) const { return chunk_.args.output + pixel(x) * chunk_.args.output_stride; }
  const float* residual(int x) const {
    const Epilogue& e = chunk_.args.epilogue;
    return e.residual == nullptr ? sink_ : e.residual + pixel(x) * e.residual_stride;
  }
  std::ptrdiff_t pixel(int x) const {
    const WindowArgs& w = chunk_.args.window;
    return (static_cast<std::ptrdiff_t>(chunk_.image) * w.out_h + chunk_.row + y_) * w.out_w + x;
  }
  void begin_row() {
    x_ = 0;
    ++y_;
  }

  void scatter(Places& to) {
    const int width = chunk_.args.window.out_w;
    const int end = chunk_.layout.whole_rows ? x_ + kLanes : chunk_.layout.phases.width;
    for (int i = 0; i < kLanes;) {
      const int real = y_ < chunk_.rows ? std::clamp(width - x_, 0, kLanes - i) : 0;
      float* out = output(x_);
      const float* in = residual(x_);
      for (int p = 0; p < real; ++p, ++i, ++x_) {
        to.output[i] = out;
        to.residual[i] = in;
        out += chunk_.args.output_stride;
        in += residual_step(chunk_.args.epilogue);
      }
      for (; i < kLanes && x_ < end; ++i, ++x_) {
        to.output[i] = sink_;
        to.residual[i] = sink_;
      }
      if (!chunk_.layout.whole_rows && x_ == end) begin_row();
    }
  }

  const PlanarChunk& chunk_;
  float* sink_;
  int x_ = 0;
  int y_ = 0;
};

/// The function of the same kBlock channels of several pixels.
HWY_NOINLINE V applied(const FusedFunction& function, V values, int channel) {
  alignas(64) float lanes[kLanes];
  hn::Store(values, kTag, lanes);
  FusedFunction of_block = function;
  alignas(64) float slope[kLanes];
  if (function.function.slope != nullptr) {
    for (int i = 0; i < kLanes; ++i) slope[i] = function.function.slope[channel + i % kBlock];
    of_block.function.slope = slope;
  }
  of_block.apply(lanes, 0, 1, 0, kLanes);
  return hn::Load(kTag, lanes);
}

/// The sums of kLanes pixels under channels channel .. end - 1 -> the output. output(p) and residual(p) give
/// pixel p's first channel.
template <class Output, class Residual>
HWY_INLINE void put_channels(const Epilogue& e, const float* sums, int channel, int end, const Output& output,
                             const Residual& residual) {
  const AllBounds bounds(e.act);
  for (; channel < end; channel += kBlock) {
    V v[kBlock];
    for (int i = 0; i < kBlock; ++i, sums += kMaxPlanarVectors * kLanes) {
      v[i] = hn::Zero(kTag);
      if (channel + i >= end) continue;
      v[i] = hn::MulAdd(hn::Load(kTag, sums), hn::Set(kTag, e.scale[channel + i]),
                        hn::Set(kTag, e.shift[channel + i]));
    }
    transpose_blocks(v);
    for (int i = 0; i < kBlock; ++i) {
      if (e.residual != nullptr) {
        v[i] = hn::Add(v[i], load_blocks(
                                 kTag, [&](int p) HWY_ATTR { return residual(p) + channel; }, i));
      }
      v[i] = bounds.apply(v[i]);
      if (e.function) v[i] = applied(e.function, v[i], channel);
      store_blocks(
          kTag, v[i], [&](int p) HWY_ATTR { return output(p) + channel; }, i);
    }
  }
}

void put_vector(const ConvArgs& args, const float* sums, int channel, int end, const Places& to) {
  const Epilogue epilogue = args.epilogue;
  if (!to.together) {
    return put_channels(
        epilogue, sums, channel, end, [&](int p) HWY_ATTR { return to.output[p]; },
        [&](int p) HWY_ATTR { return to.residual[p]; });
  }
  const EveryFourth<float> output(to.output[0], args.output_stride);
  const EveryFourth<const float> residual(to.residual[0], residual_step(epilogue));
  put_channels(epilogue, sums, channel, end, output, residual);
}

void run_chunk(PlanarChunk& chunk) {
  const Phases& phases = chunk.layout.phases;
  phases.find_taps(chunk.args.window, chunk.args.window.kernel_w, chunk.plane(), phases.width, 1,
                   chunk.taps.data());
  split_inputs(chunk);
  const int channels = chunk.args.out_channels;
  const auto& longest = planar_tiles(std::min(channels, kMaxChannels));
  alignas(64) float sums[kMaxChannels * kMaxPlanarVectors * kLanes];
  alignas(64) float sink[kMaxPlanarOutputs] = {};
  Places places[kMaxPlanarVectors];
  const float* inputs[kMaxPlanarVectors];
  Walk walk(chunk, sink);
  // All channels of a tile's pixels, so that their inputs stay in the first-level cache.
  for (int left = walk.vectors(), vectors = 0; left > 0; left -= vectors) {
    vectors = longest.length(left);
    for (int i = 0; i < vectors; ++i) inputs[i] = walk.take(places[i]);
    for (int i = vectors; i < kMaxPlanarVectors; ++i) inputs[i] = inputs[vectors - 1];
    for (int channel = 0; channel < channels; channel += kMaxChannels) {
      const int end = std::min(channel + kMaxChannels, channels);
      planar_tiles(end - channel).functions[vectors](chunk, inputs, channel, sums);
      for (int i = 0; i < vectors; ++i) put_vector(chunk.args, sums + i * kLanes, channel, end, places[i]);
    }
  }
}

void planar_conv(const ConvArgs& args, float* workspace, ThreadPool& pool) {
  const WindowArgs& w = args.window;
  const PlanarLayout layout(w, args.inputs, kLanes);
  const int rows = layout.most_rows(w);
  const int pieces =
      std::min(w.out_h, std::max(hwy::DivCeil(w.out_h, rows), hwy::DivCeil(pool.size(), args.batch)));
  const std::size_t own = static_cast<std::size_t>(layout.channels) * layout.planes(rows);
  pool.parallel_for(args.batch * pieces, [&](int call, int thread) {
    const int row = part_begin(w.out_h, pieces, call % pieces);
    PlanarChunk chunk{.args = args,
                      .layout = layout,
                      .image = call / pieces,
                      .row = row,
                      .rows = part_begin(w.out_h, pieces, call % pieces + 1) - row,
                      .planes = workspace + static_cast<std::size_t>(thread) * own};
    run_chunk(chunk);
  });
}

#endif

}  // namespace
}  // namespace concertina::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace concertina::kernels {
HWY_EXPORT(planar_conv);

bool can_run_planar(const Filter& filter) {
  return filter.groups == 1 && filter.taps <= kMaxPlanarTaps && vector_lanes() >= 4;
}

// Measured with vectors of 4, 8 and 16; see docs/kernels.md.
bool prefers_planar(const WindowArgs& w, int out_channels) {
  const int lanes = vector_lanes();
  const bool short_sums = w.taps() == 1;
  if (w.out_w >= lanes) return out_channels <= lanes / 2 && (lanes >= 16 || !short_sums);
  const bool dense = w.stride_h == 1 && w.stride_w == 1 && !short_sums;
  return 2 * w.out_w >= lanes && out_channels <= lanes / 4 && dense;
}

std::size_t workspace_planar(const WindowArgs& window, std::span<const ChannelRange> inputs) {
  const PlanarLayout layout(window, inputs, vector_lanes());
  return static_cast<std::size_t>(layout.channels) *
         static_cast<std::size_t>(layout.planes(layout.most_rows(window)));
}

void planar_conv(const ConvArgs& args, float* workspace, ThreadPool& pool) {
  HWY_DYNAMIC_DISPATCH(planar_conv)(args, workspace, pool);
}

}  // namespace concertina::kernels
#endif
