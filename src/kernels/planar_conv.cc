#include "kernels/planar_conv.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "kernels/phases.h"
#include "kernels/target.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/planar_conv.cc"
#include "hwy/foreach_target.h"  // must come before highway.h
#include "hwy/highway.h"
#include "kernels/conv_panel-inl.h"

namespace concertina::kernels {
#ifndef CONCERTINA_KERNELS_PLANAR_CONSTANTS_
#define CONCERTINA_KERNELS_PLANAR_CONSTANTS_

// The inputs of a chunk stay in the second-level cache.
constexpr std::ptrdiff_t kPlanarChunkFloats = 32 * 1024;

// Pixels of the longest tile, in vectors.
constexpr int kMostPlanarVectors = 8;

// Floats of which a plane is a multiple: threads have lines of their own.
constexpr std::ptrdiff_t kPlaneUnit = 16;

/// A thread's inputs: a plane for each channel and phase.
struct PlanarLayout {
  Phases phases;
  int out_w;
  int lanes;
  bool whole_rows;  ///< each row begins with a vector, and not one vector after the other over all rows
  int channels = 0;

  PlanarLayout(const Window& window, std::span<const ChannelRange> inputs, int lanes_)
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
  int most_rows(const Window& w) const {
    const std::ptrdiff_t row = std::ptrdiff_t{channels} * phases.down * phases.across * phases.width;
    return static_cast<int>(std::clamp<std::ptrdiff_t>(kPlanarChunkFloats / row - phases.halo, 1, w.out_h));
  }
};

#endif
}  // namespace concertina::kernels

HWY_BEFORE_NAMESPACE();
namespace concertina::kernels::HWY_NAMESPACE {
namespace {

#if HWY_TARGET == HWY_SCALAR

void planar_conv(const ConvArgs&, float*, ThreadPool&) {}  // planar_can() is false

#else

constexpr int kBlock = kPlanarBlock;

/// Output channels of a tile: whole blocks.
constexpr int kMostChannels = k32Registers ? 8 : 4;

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
    sums.store(p + (kChannels - 1) * kMostPlanarVectors * kLanes);
  }
};

template <int kVectors>
struct PlanarTile<0, kVectors> {
  HWY_INLINE PlanarTile() {}
  HWY_INLINE void add(const Run<kVectors>&, const float*) {}
  HWY_INLINE void store(float*) const {}
};

/// Some output rows of one image, and their inputs.
struct PlanarChunk {
  const ConvArgs& args;
  const PlanarLayout& layout;
  int image;
  int row;
  int rows;
  float* planes;                                      // [channels][phases][plane]
  std::array<std::ptrdiff_t, kMaxPlanarTaps> taps{};  // from a pixel to what each tap sees of it

  std::ptrdiff_t plane() const { return layout.plane(rows); }

  void find_taps() {
    const Window& w = args.window;
    std::size_t tap = 0;
    for (int i = 0; i < w.kernel_h; ++i) {
      const int y = i * w.dilation_h;
      for (int j = 0; j < w.kernel_w; ++j) {
        const int x = j * w.dilation_w;
        const int phase = y % w.stride_h * layout.phases.across + x % w.stride_w;
        taps[tap++] = phase * plane() + std::ptrdiff_t{y / w.stride_h} * layout.phases.width + x / w.stride_w;
      }
    }
  }
};

/// The sums of the pixels whose inputs begin at x, a vector each -> sums
/// [kChannels][kMostPlanarVectors * kLanes].
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
        tile.add(Run<kVectors>(inputs, plane + chunk.taps[static_cast<std::size_t>(t)]), w);
      }
    }
  }
  tile.store(sums);
}

using PlanarFunction = void (*)(const PlanarChunk&, const float* const* x, int channel, float* sums);

template <int kChannels>
constexpr int kMostVectors = std::min(kMostPlanarVectors, ((k32Registers ? 31 : 15) - 1) / (kChannels + 1));

#if defined(CONCERTINA_SANITIZED)
using PlanarLengths = Lengths<1>;
#else
using PlanarLengths = Lengths<2, 4>;
#endif

template <int kChannels>
constexpr auto kPlanarFunctions = tile_functions<PlanarFunction, kMostVectors<kChannels>>(
    PlanarLengths(), []<int kVectors>(std::integral_constant<int, kVectors>) -> PlanarFunction {
      return run_tile<kChannels, kVectors>;
    });

/// Tiles of so many channels or a few more.
const TileTable<PlanarFunction>& planar_tiles(int channels) {
  static constexpr auto tiles = []<int kChannels>(std::integral_constant<int, kChannels>) {
    return TileTable<PlanarFunction>{kPlanarFunctions<kChannels>.data(), kMostVectors<kChannels>};
  };
  static constexpr TileTable<PlanarFunction> kTables[] = {
      tiles(std::integral_constant<int, 1>()),
      tiles(std::integral_constant<int, 2>()),
      tiles(std::integral_constant<int, 3>()),
      tiles(std::integral_constant<int, 4>()),
      tiles(std::integral_constant<int, std::min(6, kMostChannels)>()),
      tiles(std::integral_constant<int, kMostChannels>())};
  constexpr int kIndex[] = {0, 1, 2, 3, 4, 4, 5, 5};
  return kTables[kIndex[channels - 1]];
}

/// In every block of kBlock lanes: the i-th of vector j becomes the j-th of vector i.
HWY_INLINE void transpose_blocks(V (&v)[kBlock]) {
  constexpr hn::Repartition<std::uint64_t, D> pairs;
  const auto low = [&](V a, V b) HWY_ATTR { return hn::BitCast(pairs, hn::InterleaveLower(kTag, a, b)); };
  const auto high = [&](V a, V b) HWY_ATTR { return hn::BitCast(pairs, hn::InterleaveUpper(kTag, a, b)); };
  const auto low01 = low(v[0], v[1]), low23 = low(v[2], v[3]);
  const auto high01 = high(v[0], v[1]), high23 = high(v[2], v[3]);
  v[0] = hn::BitCast(kTag, hn::InterleaveLower(pairs, low01, low23));
  v[1] = hn::BitCast(kTag, hn::InterleaveUpper(pairs, low01, low23));
  v[2] = hn::BitCast(kTag, hn::InterleaveLower(pairs, high01, high23));
  v[3] = hn::BitCast(kTag, hn::InterleaveUpper(pairs, high01, high23));
}

/// A vector of the blocks at at(0), at(kBlock), at(2 * kBlock), ...
template <class Tag, class At>
HWY_INLINE hn::Vec<Tag> load_blocks(Tag tag, const At& at, int first) {
  constexpr int lanes = static_cast<int>(hn::MaxLanes(Tag()));
  if constexpr (lanes == kBlock) {
    return hn::LoadU(tag, at(first));
  } else {
    const hn::Half<Tag> half;
    return hn::Combine(tag, load_blocks(half, at, first + lanes / 2), load_blocks(half, at, first));
  }
}

template <class Tag, class At>
HWY_INLINE void store_blocks(Tag tag, hn::Vec<Tag> v, const At& at, int first) {
  constexpr int lanes = static_cast<int>(hn::MaxLanes(Tag()));
  if constexpr (lanes == kBlock) {
    hn::StoreU(v, tag, at(first));
  } else {
    const hn::Half<Tag> half;
    store_blocks(half, hn::LowerHalf(half, v), at, first);
    store_blocks(half, hn::UpperHalf(half, v), at, first + lanes / 2);
  }
}

/// The addresses of kLanes pixels `step` floats apart, from those of every kBlock-th.
template <class T>
struct EveryFourth {
  T* pixels[kLanes / kBlock];
  std::ptrdiff_t step;

  HWY_INLINE EveryFourth(T* first, std::ptrdiff_t step_) : step(step_) {
    for (int i = 0; i < kLanes / kBlock; ++i) pixels[i] = first + i * kBlock * step;
  }
  HWY_INLINE T* operator()(int p) const { return pixels[p / kBlock] + p % kBlock * step; }
};

/// True if blocks of channels may be read: what follows a range belongs to the pixel.
bool reads_blocks(const ConvArgs& args) {
  return args.input_stride % kBlock == 0 &&
         std::all_of(args.inputs.begin(), args.inputs.end(),
                     [](const ChannelRange& range) { return range.input_offset % kBlock == 0; });
}

/// The channels of kLanes pixels, the i-th at at(i), into planes that lie `plane` floats apart.
template <class At>
HWY_INLINE void split_blocks(std::span<const ChannelRange> ranges, const At& at, float* to,
                             std::ptrdiff_t plane) {
  for (const ChannelRange& range : ranges) {
    for (int c = 0; c < range.count; c += kBlock) {
      const std::ptrdiff_t offset = range.input_offset + c;
      V v[kBlock];
      for (int i = 0; i < kBlock; ++i) {
        v[i] = load_blocks(
            kTag, [&](int p) HWY_ATTR { return at(p) + offset; }, i);
      }
      transpose_blocks(v);
      const int left = range.count - c;
      hn::StoreU(v[0], kTag, to);
      if (left > 1) hn::StoreU(v[1], kTag, to + plane);
      if (left > 2) hn::StoreU(v[2], kTag, to + 2 * plane);
      if (left > 3) hn::StoreU(v[3], kTag, to + 3 * plane);
      to += std::min(left, kBlock) * plane;
    }
  }
}

/// The same by one channel at a time; the pixels lie `step` floats apart, those after `last` repeat it.
HWY_INLINE void split_channels(std::span<const ChannelRange> ranges, const float* from, std::ptrdiff_t step,
                               int last, float* to, std::ptrdiff_t plane) {
  constexpr hn::RebindToSigned<D> ints;
  const auto index = hn::Mul(hn::Min(hn::Iota(ints, 0), hn::Set(ints, last)),
                             hn::Set(ints, static_cast<std::int32_t>(step)));
  for (const ChannelRange& range : ranges) {
    for (int c = 0; c < range.count; ++c, to += plane) {
      hn::StoreU(hn::GatherIndex(kTag, from + range.input_offset + c, index), kTag, to);
    }
  }
}

/// `count` zeros or a few more in every channel.
HWY_INLINE void pad_planes(int channels, int count, float* to, std::ptrdiff_t plane) {
  for (; count > 0; count -= kLanes, to += kLanes) {
    for (int c = 0; c < channels; ++c) hn::StoreU(hn::Zero(kTag), kTag, to + c * plane);
  }
}

/// `count` floats, `step` floats apart, and perhaps some more of what lies at `to`.
HWY_INLINE void copy_strided(const float* from, std::ptrdiff_t step, int count, float* to) {
  int i = 0;
  if (step == 1) {
    for (; i + kLanes <= count; i += kLanes) hn::StoreU(hn::LoadU(kTag, from + i), kTag, to + i);
  } else if (step == 2) {
    V even, odd;
    for (; i + kLanes < count; i += kLanes) {  // the last one's neighbour may not exist
      hn::LoadInterleaved2(kTag, from + 2 * i, even, odd);
      hn::StoreU(even, kTag, to + i);
    }
  }
  for (; i < count; ++i) to[i] = from[i * step];
}

/// One row of a phase in every channel: inputs from `row` on, `step` floats apart, of which `count` exist,
/// after `left` zeros and before as many as are missing. What is written past its end comes before the next
/// row.
void split_row(const PlanarChunk& chunk, const float* row, std::ptrdiff_t step, int left, int count,
               bool blocks, float* to) {
  const PlanarLayout& layout = chunk.layout;
  const std::span<const ChannelRange> ranges = chunk.args.inputs;
  const std::ptrdiff_t plane = layout.planes(chunk.rows);
  pad_planes(layout.channels, left, to, plane);
  to += left;
  if (chunk.args.plane != 0) {
    float* channel = to;
    for (const ChannelRange& range : ranges) {
      const float* from = row + range.input_offset * chunk.args.plane;
      for (int c = 0; c < range.count; ++c, from += chunk.args.plane, channel += plane) {
        copy_strided(from, step, count, channel);
      }
    }
  } else {
    for (int x = 0; x < count; x += kLanes) {
      const float* from = row + x * step;
      const int last = std::min(kLanes, count - x) - 1;
      if (!blocks) {
        split_channels(ranges, from, step, last, to + x, plane);
      } else if (last == kLanes - 1) {
        split_blocks(ranges, EveryFourth<const float>(from, step), to + x, plane);
      } else {
        split_blocks(
            ranges, [&](int p) HWY_ATTR { return from + std::min(p, last) * step; }, to + x, plane);
      }
    }
  }
  pad_planes(layout.channels, layout.phases.width - left - count, to + count, plane);
}

void split_inputs(const PlanarChunk& chunk) {
  const ConvArgs& args = chunk.args;
  const Window& w = args.window;
  const Phases& phases = chunk.layout.phases;
  const bool blocks = reads_blocks(args);
  const std::ptrdiff_t step = w.stride_w * args.input_stride;
  const std::ptrdiff_t image_stride =
      args.plane != 0 ? args.image_stride : std::ptrdiff_t{w.in_h} * w.in_w * args.input_stride;
  const float* const image = args.input + chunk.image * image_stride;
  float* plane = chunk.planes;
  for (int down = 0; down < phases.down; ++down) {
    for (int across = 0; across < phases.across; ++across, plane += chunk.plane()) {
      // Column i of the phase is input column i * stride + begin.
      const int begin = across - w.pad_left;
      const int left = std::min(begin < 0 ? hwy::DivCeil(-begin, w.stride_w) : 0, phases.width);
      const int end = std::clamp(hwy::DivCeil(std::max(0, w.in_w - begin), w.stride_w), left, phases.width);
      for (int y = 0; y < chunk.rows + phases.halo; ++y) {
        const int in_y = (chunk.row + y) * w.stride_h + down - w.pad_top;
        const bool inside = in_y >= 0 && in_y < w.in_h;
        const std::ptrdiff_t row = inside ? in_y : 0;
        const float* const first =
            image + (row * w.in_w + std::ptrdiff_t{left} * w.stride_w + begin) * args.input_stride;
        split_row(chunk, first, step, left, inside ? end - left : 0, blocks,
                  plane + std::ptrdiff_t{y} * phases.width);
      }
    }
  }
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
    const Window& w = chunk_.args.window;
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

/// The sums of kLanes pixels under channels channel .. end - 1 -> the output. output(p) and residual(p) give
/// pixel p's first channel.
template <class Output, class Residual>
HWY_INLINE void put_channels(const Epilogue& e, const float* sums, int channel, int end, const Output& output,
                             const Residual& residual) {
  const AllBounds bounds(e.act);
  for (; channel < end; channel += kBlock) {
    V v[kBlock];
    for (int i = 0; i < kBlock; ++i, sums += kMostPlanarVectors * kLanes) {
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
      store_blocks(
          kTag, bounds.apply(v[i]), [&](int p) HWY_ATTR { return output(p) + channel; }, i);
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
  chunk.find_taps();
  split_inputs(chunk);
  const int channels = chunk.args.out_channels;
  const auto& longest = planar_tiles(std::min(channels, kMostChannels));
  alignas(64) float sums[kMostChannels * kMostPlanarVectors * kLanes];
  alignas(64) float sink[kMostPlanarOutputs] = {};
  Places places[kMostPlanarVectors];
  const float* inputs[kMostPlanarVectors];
  Walk walk(chunk, sink);
  // All channels of a tile's pixels, so that their inputs stay in the first-level cache.
  for (int left = walk.vectors(), vectors = 0; left > 0; left -= vectors) {
    vectors = longest.length(left);
    for (int i = 0; i < vectors; ++i) inputs[i] = walk.take(places[i]);
    for (int i = vectors; i < kMostPlanarVectors; ++i) inputs[i] = inputs[vectors - 1];
    for (int channel = 0; channel < channels; channel += kMostChannels) {
      const int end = std::min(channel + kMostChannels, channels);
      planar_tiles(end - channel).functions[vectors](chunk, inputs, channel, sums);
      for (int i = 0; i < vectors; ++i) put_vector(chunk.args, sums + i * kLanes, channel, end, places[i]);
    }
  }
}

void planar_conv(const ConvArgs& args, float* workspace, ThreadPool& pool) {
  const Window& w = args.window;
  const PlanarLayout layout(w, args.inputs, kLanes);
  const int rows = layout.most_rows(w);
  const int pieces =
      std::min(w.out_h, std::max(hwy::DivCeil(w.out_h, rows), hwy::DivCeil(pool.size(), args.batch)));
  const std::size_t own = static_cast<std::size_t>(layout.channels) * layout.planes(rows);
  pool.parallel_for(args.batch * pieces, [&](int call, int thread) {
    const int row = part_begin(0, w.out_h, pieces, call % pieces);
    PlanarChunk chunk{.args = args,
                      .layout = layout,
                      .image = call / pieces,
                      .row = row,
                      .rows = part_begin(0, w.out_h, pieces, call % pieces + 1) - row,
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
namespace {

HWY_EXPORT(planar_conv);

}  // namespace

bool planar_can(const Filter& filter) {
  return filter.groups == 1 && filter.taps <= kMaxPlanarTaps && vector_lanes() >= 4;
}

// Measured with vectors of 4, 8 and 16; see docs/kernels.md.
bool prefers_planar(const Window& w, int out_channels) {
  const int lanes = vector_lanes();
  const bool short_sums = w.taps() == 1;
  if (w.out_w >= lanes) return out_channels <= lanes / 2 && (lanes >= 16 || !short_sums);
  const bool dense = w.stride_h == 1 && w.stride_w == 1 && !short_sums;
  return 2 * w.out_w >= lanes && out_channels <= lanes / 4 && dense;
}

std::size_t planar_workspace(const Window& window, std::span<const ChannelRange> inputs) {
  const PlanarLayout layout(window, inputs, vector_lanes());
  return static_cast<std::size_t>(layout.channels) *
         static_cast<std::size_t>(layout.planes(layout.most_rows(window)));
}

void planar_conv(const ConvArgs& args, float* workspace, ThreadPool& pool) {
  HWY_DYNAMIC_DISPATCH(planar_conv)(args, workspace, pool);
}

}  // namespace concertina::kernels
#endif
