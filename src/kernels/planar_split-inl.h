// Per-target include guard.
#if defined(CONCERTINA_KERNELS_PLANAR_SPLIT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CONCERTINA_KERNELS_PLANAR_SPLIT_INL_H_
#undef CONCERTINA_KERNELS_PLANAR_SPLIT_INL_H_
#else
#define CONCERTINA_KERNELS_PLANAR_SPLIT_INL_H_
#endif

#include <array>

#include "kernels/planar_conv.h"
#include "kernels/planar_layout.h"
#include "kernels/simd-inl.h"

// The inputs of the planar kernel: pixels of channels into a plane for each channel and phase.

HWY_BEFORE_NAMESPACE();
namespace concertina::kernels::HWY_NAMESPACE {
namespace {

#if HWY_TARGET != HWY_SCALAR

constexpr int kBlock = kPlanarBlock;

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
};

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
  const WindowArgs& w = args.window;
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

#endif

}  // namespace
}  // namespace concertina::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
