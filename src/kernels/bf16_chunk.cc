#include "kernels/bf16_chunk.h"

#include "kernels/bf16_conv.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <array>

#include "hwy/highway.h"

HWY_PUSH_ATTRIBUTES("avx512f,avx512bw,avx512vl,avx512bf16")
namespace concertina::kernels {
namespace {

/// The lanes begin .. end - 1 of 16.
inline __mmask16 lanes(int begin, int end) {
  const unsigned below_end = end >= 16 ? 0xffffU : (1U << std::max(end, 0)) - 1;
  const unsigned below_begin = begin >= 16 ? 0xffffU : (1U << std::max(begin, 0)) - 1;
  return static_cast<__mmask16>(below_end & ~below_begin);
}

/// One range of one pixel, in whole blocks; what is no active channel becomes zero.
inline void round_range(const float* from, const ChannelRange& range, std::uint16_t* to) {
  const int lead = range.weight_begin % 2;
  const int end = lead + range.count;
  from -= lead;
  for (int c = 0; c < end; c += kBf16Channels) {
    __m512 low;
    __m512 high;
    if (c >= lead && c + kBf16Channels <= end) {
      low = _mm512_loadu_ps(from + c);
      high = _mm512_loadu_ps(from + c + 16);
    } else {
      low = _mm512_maskz_loadu_ps(lanes(lead - c, end - c), from + c);
      high = _mm512_maskz_loadu_ps(lanes(lead - c - 16, end - c - 16), from + c + 16);
    }
    _mm512_storeu_si512(to + c, (__m512i)_mm512_cvtne2ps_pbh(high, low));
  }
}

void round_pixel(const ConvArgs& args, const float* pixel, std::uint16_t* to) {
  for (const ChannelRange& range : args.inputs) {
    round_range(pixel + range.input_offset, range, to);
    to += blocks_of(range) * kBf16Channels;
  }
}

/// One pixel of at most 16 channels, which may overwrite what follows it.
inline void round_few(const ConvArgs& args, const float* pixel, std::uint16_t* to) {
  __m512 all = _mm512_setzero_ps();
  for (const ChannelRange& range : args.inputs) {
    const __mmask16 mask = lanes(range.weight_begin, range.weight_begin + range.count);
    all = _mm512_mask_loadu_ps(all, mask, pixel + range.input_offset - range.weight_begin);
  }
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), (__m256i)_mm512_cvtneps_pbh(all));
}

/// `count` pixels of three channels without padding, four at a time; each becomes four.
inline void round_dense(const float* pixels, int count, std::uint16_t* to) {
  for (int x = 0; x < count; x += 4, pixels += 12, to += 16) {
    const __m512 four = _mm512_maskz_loadu_ps(lanes(0, std::min(12, 3 * (count - x))), pixels);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to),
                        (__m256i)_mm512_cvtneps_pbh(_mm512_maskz_expand_ps(0x7777, four)));
  }
}

/// An input row for merged taps, with its padding. What is written past its end comes before the next row.
void round_merged_row(const ConvArgs& args, const Bf16Geometry& g, const float* row, std::uint16_t* to) {
  const WindowArgs& w = args.window;
  const int columns = g.width * w.stride_w;
  const int left = std::min(w.pad_left, columns);
  const int inside = std::min(w.in_w, columns - left);
  std::fill_n(to, left * g.channels, std::uint16_t{0});
  to += left * g.channels;
  if (args.input_stride == 3 && g.channels == 4 && args.inputs.size() == 1 && args.inputs[0].count == 3) {
    round_dense(row, inside, to);
    to += inside * g.channels;
  } else {
    for (int x = 0; x < inside; ++x, to += g.channels) round_few(args, row + x * args.input_stride, to);
  }
  std::fill_n(to, (columns - left - inside) * g.channels, std::uint16_t{0});
}

/// One row of a phase: every stride-th pixel of an input row, from `phase` on.
void round_row(const ConvArgs& args, const Bf16Geometry& g, const float* row, int phase, std::uint16_t* to) {
  const WindowArgs& w = args.window;
  for (int x = 0; x < g.width; ++x, to += g.channels) {
    const int in_x = x * w.stride_w + phase - w.pad_left;
    if (in_x >= 0 && in_x < w.in_w) {
      round_pixel(args, row + in_x * args.input_stride, to);
    } else {
      std::fill_n(to, g.channels, std::uint16_t{0});
    }
  }
}

void round_inputs(const ConvArgs& args, const Bf16Geometry& g, const Chunk& chunk, std::uint16_t* to) {
  const WindowArgs& w = args.window;
  for (int phase_h = 0; phase_h < g.down; ++phase_h) {
    for (int phase_w = 0; phase_w < g.across; ++phase_w) {
      for (int n = 0; n < chunk.images; ++n) {
        for (int y = 0; y < chunk.rows + g.halo; ++y, to += g.row()) {
          const int in_y = (chunk.row + y) * w.stride_h + phase_h - w.pad_top;
          if (in_y < 0 || in_y >= w.in_h) {
            std::fill_n(to, g.row(), std::uint16_t{0});
            continue;
          }
          const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(chunk.image + n) * w.in_h + in_y;
          const float* const inputs = args.input + row * w.in_w * args.input_stride;
          g.merged ? round_merged_row(args, g, inputs, to) : round_row(args, g, inputs, phase_w, to);
        }
      }
    }
  }
  // Merged taps in whole blocks read past the last pixel; weights of zero would not make zeros of NaNs.
  std::fill_n(to, kBf16Channels, std::uint16_t{0});
}

/// The epilogue of 16 channels of one pixel.
inline void finish(__m512 sum, const Epilogue& e, std::ptrdiff_t pixel, int channel, float* output) {
  __m512 y = _mm512_fmadd_ps(sum, _mm512_loadu_ps(e.scale + channel), _mm512_loadu_ps(e.shift + channel));
  if (e.residual != nullptr) {
    y = _mm512_add_ps(y, _mm512_loadu_ps(e.residual + pixel * e.residual_stride + channel));
  }
  // All lanes by name: of the unmasked forms GCC 12 believes that they read what was never written.
  if (e.act != FusedActivation::none) y = _mm512_maskz_max_ps(lanes(0, 16), y, _mm512_setzero_ps());
  if (e.act == FusedActivation::relu6) y = _mm512_maskz_min_ps(lanes(0, 16), y, _mm512_set1_ps(6.0F));
  _mm512_storeu_ps(output + channel, y);
  if (e.function) e.function.apply(output + channel, 0, 1, channel, kBf16Panel);
}

/// Two panels, from `panel` on, under all pixels of the chunk.
void run_panels(const ConvArgs& args, const Bf16Geometry& g, const Chunk& chunk,
                std::span<const std::ptrdiff_t> taps, const std::uint16_t* inputs, int panel) {
  const Bf16Depth depth(args.filter, args.window);
  const std::ptrdiff_t panel_size = depth.taps * depth.pair_rows() * kBf16Panel;
  const auto* weights = reinterpret_cast<const std::uint32_t*>(args.packed) + panel * panel_size;
  const ChannelRange merged{.count = depth.channels};
  const int channel = panel * kBf16Panel;
  const bool two = channel + kBf16Panel < args.out_channels;
  const Bf16Panels panels{.taps = taps.first(static_cast<std::size_t>(depth.taps)),
                          .ranges = g.merged ? std::span(&merged, 1) : args.inputs,
                          .pixel = g.pixel,
                          .weights = weights,
                          .rows = depth.pair_rows(),
                          .weights2 = two ? weights + panel_size : nullptr};
  const Bf16Unit& unit = *args.bf16_unit;
  const int all = g.outputs(args.window, chunk);
  alignas(64) float sums[kMaxBlockPixels * 2 * kBf16Panel];
  ChunkOutputs pixels(args.window, g, chunk);
  for (int first = 0; first < all; first += unit.pixels) {
    const int count = std::min(unit.pixels, all - first);
    unit.products(panels, inputs + first * g.pixel, count, sums);
    for (int p = 0; p < count; ++p, pixels.next()) {
      const std::ptrdiff_t at = pixels.current();
      if (at < 0) continue;
      const float* sum = sums + p * 2 * kBf16Panel;
      float* const output = args.output + at * args.output_stride;
      finish(_mm512_load_ps(sum), args.epilogue, at, channel, output);
      if (two) finish(_mm512_load_ps(sum + kBf16Panel), args.epilogue, at, channel + kBf16Panel, output);
    }
  }
}

}  // namespace

void run_bf16_chunk(const ConvArgs& args, const Bf16Geometry& g, const Chunk& chunk, std::uint16_t* inputs,
                    int first_pair, int last_pair) {
  std::array<std::ptrdiff_t, kMaxChunkTaps> taps;
  g.find_taps(args.window, g.merged ? 1 : args.window.kernel_w, g.phase(chunk), g.row(), g.channels,
              taps.data());
  round_inputs(args, g, chunk, inputs);
  args.bf16_unit->begin();
  for (int pair = first_pair; pair < last_pair; ++pair) run_panels(args, g, chunk, taps, inputs, 2 * pair);
  args.bf16_unit->end();
}

}  // namespace concertina::kernels
HWY_POP_ATTRIBUTES
#else
namespace concertina::kernels {

void run_bf16_chunk(const ConvArgs&, const Bf16Geometry&, const Chunk&, std::uint16_t*, int, int) {
}  // no unit

}  // namespace concertina::kernels
#endif
