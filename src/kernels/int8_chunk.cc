#include "kernels/int8_chunk.h"

#include <array>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/int8_chunk.cc"
#include "hwy/foreach_target.h"  // must come before highway.h
#include "hwy/highway.h"
#include "kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace concertina::kernels::HWY_NAMESPACE {
namespace {

using DI = hn::RebindToSigned<D>;
using VI = hn::Vec<DI>;
constexpr DI kIntTag;

/// x as round(x * (1 / scale)) + zero_point.
class Quantizer {
 public:
  HWY_INLINE explicit Quantizer(const Int8Input& input)
      : inverse_(hn::Set(kTag, 1.0F / input.scale)),
        low_(hn::Set(kTag, static_cast<float>(-input.zero_point))),
        high_(hn::Set(kTag, static_cast<float>(input.most - input.zero_point))),
        zero_(hn::Set(kIntTag, input.zero_point)) {}

  /// The result is in the lowest byte of each lane; the others may be anything. The sum with 1.5 * 2^23,
  /// whose lowest byte is 0, is rounded to a whole number, ties to even. A NaN is not above the lower bound.
  HWY_INLINE VI operator()(V x) const {
    const V bounded = hn::Min(hn::Max(hn::Mul(x, inverse_), low_), high_);
    return hn::Add(hn::BitCast(kIntTag, hn::Add(bounded, hn::Set(kTag, 12582912.0F))), zero_);
  }

 private:
  V inverse_;
  V low_;
  V high_;
  VI zero_;
};

/// The lowest bytes.
HWY_INLINE void store(VI v, std::uint8_t* to) {
  constexpr hn::Rebind<std::uint8_t, D> kBytes;
  const VI bytes = hn::And(v, hn::Set(kIntTag, 255));
  hn::StoreU(hn::U8FromU32(hn::BitCast(hn::RebindToUnsigned<DI>(), bytes)), kBytes, to);
}

/// The first `count` floats, fewer than a vector. Before AVX2 a masked load would touch what follows them.
HWY_INLINE V load_active(const float* from, int count) {
#if HWY_TARGET <= HWY_AVX2
  return hn::MaskedLoad(hn::FirstN(kTag, static_cast<std::size_t>(count)), kTag, from);
#else
  return load_first(from, count);
#endif
}

/// One range of one pixel, in whole quads; what is no active channel becomes zero. A whole vector is stored
/// at the end, which what comes next overwrites.
HWY_INLINE void quantize_range(const Quantizer& quantizer, const float* from, const ChannelRange& range,
                               std::uint8_t* to) {
  const int lead = range.weight_begin % kQuad;
  const int tail = quads_of(range) * kQuad - lead - range.count;
  if (lead > 0) std::fill_n(to, lead, std::uint8_t{0});
  to += lead;
  int c = 0;
  for (; c + kLanes <= range.count; c += kLanes) store(quantizer(hn::LoadU(kTag, from + c)), to + c);
  if (c < range.count) {
    const auto active = hn::FirstN(kTag, static_cast<std::size_t>(range.count - c));
    const V x = load_active(from + c, range.count - c);
    store(hn::IfThenElseZero(hn::RebindMask(kIntTag, active), quantizer(x)), to + c);
  }
  if (tail > 0) std::fill_n(to + range.count, tail, std::uint8_t{0});
}

/// A pixel of the padding: the zero point where channels are active.
void pad_pixel(const ConvArgs& args, std::uint8_t* to) {
  for (const ChannelRange& range : args.inputs) {
    const int lead = range.weight_begin % kQuad;
    std::fill_n(to, quads_of(range) * kQuad, std::uint8_t{0});
    std::fill_n(to + lead, range.count, static_cast<std::uint8_t>(args.int8.zero_point));
    to += quads_of(range) * kQuad;
  }
}

/// A filled run of such pixels.
void pad_pixels(const ConvArgs& args, const Int8Geometry& g, int count, std::uint8_t* to) {
  if (args.int8.zero_point == 0) {
    std::fill_n(to, count * g.channels, std::uint8_t{0});
    return;
  }
  for (int i = 0; i < count; ++i) pad_pixel(args, to + i * g.channels);
}

/// Where neither a channel nor a pixel of the input is left out, a row is one long range.
bool takes_all(const ConvArgs& args, const Int8Geometry& g) {
  return args.window.stride_w == 1 && args.inputs.size() == 1 && args.inputs[0].count == args.input_stride &&
         args.inputs[0].count == g.channels;
}

/// One row of a phase: every stride-th pixel of an input row, from `phase` on.
void quantize_row(const ConvArgs& args, const Quantizer& quantizer, const Int8Geometry& g, const float* row,
                  int phase, std::uint8_t* to) {
  const WindowArgs& w = args.window;
  if (takes_all(args, g)) {
    const int left = std::min(w.pad_left, g.width), pixels = std::clamp(g.width - left, 0, w.in_w);
    const auto channels = static_cast<int>(g.channels);
    pad_pixels(args, g, left, to);
    quantize_range(quantizer, row, {.count = pixels * channels}, to + left * channels);
    pad_pixels(args, g, g.width - left - pixels, to + (left + pixels) * channels);
    return;
  }
  for (int x = 0; x < g.width; ++x, to += g.channels) {
    const int in_x = x * w.stride_w + phase - w.pad_left;
    if (in_x < 0 || in_x >= w.in_w) {
      pad_pixels(args, g, 1, to);
      continue;
    }
    const float* const pixel = row + in_x * args.input_stride;
    std::uint8_t* part = to;
    for (const ChannelRange& range : args.inputs) {
      quantize_range(quantizer, pixel + range.input_offset, range, part);
      part += quads_of(range) * kQuad;
    }
  }
}

void quantize_inputs(const ConvArgs& args, const Int8Geometry& g, const Chunk& chunk, std::uint8_t* to) {
  const WindowArgs& w = args.window;
  const Quantizer quantizer(args.int8);
  for (int phase_h = 0; phase_h < g.down; ++phase_h) {
    for (int phase_w = 0; phase_w < g.across; ++phase_w) {
      for (int n = 0; n < chunk.images; ++n) {
        for (int y = 0; y < chunk.rows + g.halo; ++y, to += g.row()) {
          const int in_y = (chunk.row + y) * w.stride_h + phase_h - w.pad_top;
          if (in_y < 0 || in_y >= w.in_h) {
            pad_pixels(args, g, g.width, to);
            continue;
          }
          const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(chunk.image + n) * w.in_h + in_y;
          quantize_row(args, quantizer, g, args.input + row * w.in_w * args.input_stride, phase_w, to);
        }
      }
    }
  }
}

/// Output pixels of a block, without those between the rows.
struct BlockPixels {
  int count = 0;
  int rows[kMaxBlockPixels];               ///< of the sums
  std::ptrdiff_t pixels[kMaxBlockPixels];  ///< over the whole batch

  BlockPixels(ChunkOutputs& outputs, int of) {
    for (int p = 0; p < of; ++p, outputs.next()) {
      if (outputs.current() < 0) continue;
      rows[count] = p;
      pixels[count++] = outputs.current();
    }
  }
};

/// The epilogue of one vector of channels.
template <bool kResidual>
HWY_INLINE void finish_vector(const ConvArgs& args, const BlockPixels& block, const std::int32_t* sums,
                              V scale, V shift, int channel) {
  const Epilogue& e = args.epilogue;
  const AllBounds bounds(e.act);
  for (int i = 0; i < block.count; ++i) {
    const V sum = hn::ConvertTo(kTag, hn::Load(kIntTag, sums + block.rows[i] * 2 * kChunkPanel));
    V y = hn::MulAdd(sum, scale, shift);
    if constexpr (kResidual)
      y = hn::Add(y, hn::LoadU(kTag, e.residual + block.pixels[i] * e.residual_stride + channel));
    hn::StoreU(bounds.apply(y), kTag, args.output + block.pixels[i] * args.output_stride + channel);
  }
}

/// That of the panels from `channel` on. The loops are in this order so that what is the same for all pixels
/// stays in registers.
void finish(const ConvArgs& args, const Int8Weights& weights, const BlockPixels& block,
            const std::int32_t* sums, int channel) {
  const Epilogue& e = args.epilogue;
  const int channels = std::min(2 * kChunkPanel, round_up(args.out_channels - channel, kLanes));
  for (int c = 0; c < channels; c += kLanes) {
    const V both = hn::Mul(hn::Set(kTag, args.int8.scale), hn::Load(kTag, weights.scales + channel + c));
    const V scale = hn::Mul(both, hn::LoadU(kTag, e.scale + channel + c));
    const V shift = hn::LoadU(kTag, e.shift + channel + c);
    e.residual != nullptr ? finish_vector<true>(args, block, sums + c, scale, shift, channel + c)
                          : finish_vector<false>(args, block, sums + c, scale, shift, channel + c);
  }
  if (!e.function) return;
  for (int i = 0; i < block.count; ++i) {
    e.function.apply(args.output + block.pixels[i] * args.output_stride + channel, 0, 1, channel, channels);
  }
}

/// One panel, or two, under all pixels of the chunk.
void run_panels(const ConvArgs& args, const Int8Geometry& g, const Chunk& chunk,
                std::span<const std::ptrdiff_t> taps, const std::uint8_t* inputs, int panel, bool two) {
  const Int8Weights weights(args.filter, args.packed);
  const Int8Unit& unit = *args.int8.unit;
  const int channel = panel * kChunkPanel;
  const std::int32_t zeros[2 * kChunkPanel] = {};
  const Int8Panels panels{.taps = taps,
                          .ranges = args.inputs,
                          .pixel = g.pixel,
                          .weights = weights.panels + panel * weights.panel,
                          .weights2 = two ? weights.panels + (panel + 1) * weights.panel : nullptr,
                          .rows = weights.rows,
                          .starts = args.int8.starts == nullptr ? zeros : args.int8.starts + channel};
  const int all = g.outputs(args.window, chunk);
  alignas(64) std::int32_t sums[kMaxBlockPixels * 2 * kChunkPanel];
  ChunkOutputs outputs(args.window, g, chunk);
  for (int begin = 0; begin < all; begin += unit.pixels) {
    const int count = std::min(unit.pixels, all - begin);
    unit.products(panels, inputs + begin * g.pixel, count, sums);
    finish(args, weights, BlockPixels(outputs, count), sums, channel);
  }
}

void run_int8(const ConvArgs& args, const Int8Geometry& g, const Chunk& chunk, float* memory, int first_pair,
              int last_pair) {
  std::array<std::ptrdiff_t, kMaxChunkTaps> offsets;
  g.find_taps(args.window, args.window.kernel_w, g.phase(chunk), g.row(), g.channels, offsets.data());
  const std::span taps(offsets.data(), static_cast<std::size_t>(args.filter.taps));
  auto* const inputs = reinterpret_cast<std::uint8_t*>(memory);
  quantize_inputs(args, g, chunk, inputs);
  const int end = std::min(2 * last_pair, (args.out_channels + kChunkPanel - 1) / kChunkPanel);
  for (int panel = 2 * first_pair; panel < end; panel += 2)
    run_panels(args, g, chunk, taps, inputs, panel, panel + 1 < end);
}

}  // namespace
}  // namespace concertina::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace concertina::kernels {
HWY_EXPORT(run_int8);

void run_int8_chunk(const ConvArgs& args, const Int8Geometry& g, const Chunk& chunk, float* memory,
                    int first_pair, int last_pair) {
  HWY_DYNAMIC_DISPATCH(run_int8)(args, g, chunk, memory, first_pair, last_pair);
}

}  // namespace concertina::kernels
#endif
