#include "kernels/bf16_conv.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "hwy/highway.h"
#include "kernels/bf16_unit.h"
#include "kernels/phases.h"
#include "kernels/target.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace concertina::kernels {
namespace {

// Elements of a chunk's inputs: they stay in the second-level cache while all panels read them.
constexpr std::ptrdiff_t kChunkElements = 96 * 1024;

// Fewer pixels than this are not worth splitting over threads.
constexpr int kMinChunkPixels = 64;

constexpr int kMaxBlockPixels = 32;

/// True if a row of taps is multiplied as one run of channels: of few channels, each tap alone would fill
/// only a part of a block.
bool merges_taps(const Filter& filter, const WindowArgs& w) {
  return filter.in_channels <= kBf16Channels / 2 && w.kernel_w > 1 && w.dilation_w == 1;
}

/// Inputs of one product, and how many of them there are for each output.
struct Depth {
  int taps;      ///< that are multiplied one after the other
  int channels;  ///< of each at full width, even

  Depth(const Filter& f, const WindowArgs& w)
      : taps(merges_taps(f, w) ? w.kernel_h : f.taps),
        channels(round_up(f.in_channels, 2) * (f.taps / taps)) {}

  std::ptrdiff_t pair_rows() const { return round_up(channels, kBf16Channels) / 2; }
};

/// A thread's inputs as bfloat16. Where taps are merged, columns stay together and each output is stride_w
/// pixels after the one before.
struct Geometry : Phases {
  bool merged;
  std::ptrdiff_t channels;  ///< elements of an input pixel
  std::ptrdiff_t pixel;     ///< elements from output to output

  Geometry(const Filter& f, const WindowArgs& w, std::span<const ChannelRange> inputs)
      : Phases(w), merged(merges_taps(f, w)), channels(merged ? round_up(f.in_channels, 2) : 0), pixel(0) {
    if (merged) across = 1;
    if (!merged) {
      for (const ChannelRange& range : inputs) channels += blocks_of(range) * kBf16Channels;
    }
    pixel = merged ? channels * w.stride_w : channels;
  }

  std::ptrdiff_t row() const { return width * pixel; }
  std::ptrdiff_t rows(int output_rows) const {
    return static_cast<std::ptrdiff_t>(down) * across * (output_rows + halo) * row();
  }

  /// Output rows of one image that fit a chunk.
  int most_rows(const WindowArgs& w) const {
    const std::ptrdiff_t fit = kChunkElements / rows(1 - halo) - halo;
    const int least = (kMaxBlockPixels + width - 1) / width;
    return static_cast<int>(std::clamp<std::ptrdiff_t>(fit, std::min(least, w.out_h), w.out_h));
  }
  /// Images of which all rows fit, or as many as fill a block of pixels, which reads all weights.
  int most_images(const WindowArgs& w) const {
    const int least = (kMaxBlockPixels + w.out_h * width - 1) / (w.out_h * width);
    return static_cast<int>(std::max<std::ptrdiff_t>(least, kChunkElements / rows(w.out_h)));
  }
};

/// Some rows of one image, or all of several.
struct Chunk {
  int image = 0;
  int images = 1;
  int row = 0;
  int rows = 0;
};

const Bf16Unit* const* known_units() {
  static const std::array<const Bf16Unit*, 3> units = [] {
    std::array<const Bf16Unit*, 3> found{};
    std::size_t count = 0;
    for (const Bf16Unit* unit : {amx_unit(), avx512_bf16_unit()}) {
      if (unit != nullptr) found[count++] = unit;
    }
    return found;
  }();
  return units.data();
}

const Bf16Unit* limited_unit = nullptr;

[[maybe_unused]] const Bf16Unit& unit_in_use() {
  return limited_unit != nullptr ? *limited_unit : *known_units()[0];
}

std::uint32_t to_bf16(float value) {
  constexpr std::uint32_t kLargest = 0x7f7f;  // of the finite ones
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = bits >> 31 << 15;
  const std::uint32_t magnitude = bits & 0x7fffffff;
  return sign | std::min(kLargest, (magnitude + 0x7fff + (magnitude >> 16 & 1)) >> 16);
}

}  // namespace

std::vector<std::string> bf16_units() {
  std::vector<std::string> names;
  if (vector_lanes() != 16) return names;
  for (const Bf16Unit* const* unit = known_units(); *unit != nullptr; ++unit)
    names.emplace_back((*unit)->name);
  return names;
}

Status limit_bf16_unit(std::string_view name) {
  limited_unit = nullptr;
  if (name.empty()) return {};
  const std::vector<std::string> names = bf16_units();
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    return Error{fmt::format("this machine has no unit '{}' for bfloat16; it has {}", name,
                             names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", ")))};
  }
  for (const Bf16Unit* const* unit = known_units(); *unit != nullptr; ++unit) {
    if ((*unit)->name == name) limited_unit = *unit;
  }
  return {};
}

bool bf16_can(const Filter& filter) {
  return filter.groups == 1 && filter.taps <= kMaxBf16Taps;
}

std::size_t bf16_packed_size(const Filter& f, const WindowArgs& w) {
  // Whole blocks that begin at a range's first channel may end behind the last row of the last tap.
  constexpr std::size_t kSpare = std::size_t{kBf16Channels} / 2 * kBf16Panel;
  const Depth depth(f, w);
  return static_cast<std::size_t>(round_up(f.out_channels, kBf16Panel)) *
             static_cast<std::size_t>(depth.taps) * static_cast<std::size_t>(depth.pair_rows()) +
         kSpare;
}

void pack_bf16(const Filter& f, const WindowArgs& w, const float* oihw, float* packed) {
  std::fill_n(packed, bf16_packed_size(f, w), 0.0F);
  const Depth depth(f, w);
  const int merged = f.taps / depth.taps;
  const std::ptrdiff_t taps = f.taps;
  for (int k = 0; k < f.out_channels; ++k) {
    const float* from = oihw + static_cast<std::ptrdiff_t>(k) * f.in_channels * taps;
    float* const to = packed + k / kBf16Panel * depth.taps * depth.pair_rows() * kBf16Panel + k % kBf16Panel;
    for (std::ptrdiff_t t = 0; t < taps; ++t) {
      const std::ptrdiff_t row = t / merged * depth.pair_rows() + t % merged * round_up(f.in_channels, 2) / 2;
      for (int c = 0; c < f.in_channels; c += 2) {
        const std::uint32_t low = to_bf16(from[c * taps + t]);
        const std::uint32_t high = c + 1 < f.in_channels ? to_bf16(from[(c + 1) * taps + t]) : 0;
        to[(row + c / 2) * kBf16Panel] = std::bit_cast<float>(high << 16 | low);
      }
    }
  }
}

std::size_t bf16_workspace(const Filter& filter, const WindowArgs& window,
                           std::span<const ChannelRange> inputs) {
  const Geometry g(filter, window, inputs);
  const int rows = g.most_rows(window);
  const std::ptrdiff_t chunk = rows < window.out_h ? g.rows(rows) : g.most_images(window) * g.rows(rows);
  // The last block reads past the last pixel, and that past its last channel.
  const std::ptrdiff_t elements = chunk + kMaxBlockPixels * g.pixel + kBf16Channels;
  return static_cast<std::size_t>(elements) / 2;
}

}  // namespace concertina::kernels

#if defined(__x86_64__)
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
void round_merged_row(const ConvArgs& args, const Geometry& g, const float* row, std::uint16_t* to) {
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
void round_row(const ConvArgs& args, const Geometry& g, const float* row, int phase, std::uint16_t* to) {
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

void round_inputs(const ConvArgs& args, const Geometry& g, const Chunk& chunk, std::uint16_t* to) {
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

/// Elements from a chunk's pixel to what each tap, or row of merged taps, sees of it.
using TapOffsets = std::array<std::ptrdiff_t, kMaxBf16Taps>;
void find_taps(const WindowArgs& w, const Geometry& g, const Chunk& chunk, TapOffsets& taps) {
  const std::ptrdiff_t phase_rows = static_cast<std::ptrdiff_t>(chunk.images) * (chunk.rows + g.halo);
  std::size_t tap = 0;
  for (int i = 0; i < w.kernel_h; ++i) {
    const int y = i * w.dilation_h;
    for (int j = 0; j < (g.merged ? 1 : w.kernel_w); ++j) {
      const int x = j * w.dilation_w;
      const std::ptrdiff_t phase = y % w.stride_h * g.across + x % w.stride_w;
      taps[tap++] = (phase * phase_rows + y / w.stride_h) * g.row() + x / w.stride_w * g.channels;
    }
  }
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
}

/// Walks through the pixels of a chunk, real and between the rows.
class Pixels {
 public:
  Pixels(const WindowArgs& w, const Geometry& g, const Chunk& chunk)
      : window_(w),
        width_(g.width),
        rows_(chunk.rows),
        all_rows_(chunk.rows + g.halo),
        image_(chunk.image),
        row_(chunk.row) {}

  /// The number of the current output pixel over the whole batch, or -1 between the rows.
  std::ptrdiff_t current() const {
    if (x_ >= window_.out_w || y_ >= rows_) return -1;
    return (static_cast<std::ptrdiff_t>(image_) * window_.out_h + row_ + y_) * window_.out_w + x_;
  }
  void next() {
    if (++x_ < width_) return;
    x_ = 0;
    if (++y_ < all_rows_) return;
    y_ = 0;
    ++image_;
  }

 private:
  const WindowArgs& window_;
  int width_;
  int rows_;
  int all_rows_;
  int image_;
  int row_;
  int x_ = 0;
  int y_ = 0;
};

/// Two panels, from `panel` on, under all pixels of the chunk.
void run_panels(const ConvArgs& args, const Geometry& g, const Chunk& chunk, const Bf16Unit& unit,
                std::span<const std::ptrdiff_t> taps, const std::uint16_t* inputs, int panel) {
  const Depth depth(args.filter, args.window);
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
  const int all =
      chunk.images * (chunk.rows + g.halo) * g.width - g.halo * g.width - (g.width - args.window.out_w);
  alignas(64) float sums[kMaxBlockPixels * 2 * kBf16Panel];
  Pixels pixels(args.window, g, chunk);
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

void run_chunk(const ConvArgs& args, const Geometry& g, const Chunk& chunk, const Bf16Unit& unit,
               std::uint16_t* inputs, int first_pair, int last_pair) {
  TapOffsets taps;
  find_taps(args.window, g, chunk, taps);
  round_inputs(args, g, chunk, inputs);
  unit.begin();
  for (int pair = first_pair; pair < last_pair; ++pair) {
    run_panels(args, g, chunk, unit, taps, inputs, 2 * pair);
  }
  unit.end();
}

}  // namespace
}  // namespace concertina::kernels
HWY_POP_ATTRIBUTES

namespace concertina::kernels {
namespace {

/// The i-th of `parts` nearly equal parts of [0, end) begins here.
int part_of(int end, int i, int parts) {
  return static_cast<int>(std::int64_t{end} * i / parts);
}

}  // namespace

void bf16_conv(const ConvArgs& args, float* workspace, ThreadPool& pool) {
  const WindowArgs& w = args.window;
  const Geometry g(args.filter, w, args.inputs);
  const int threads = pool.size();
  const int pairs = (args.out_channels + 2 * kBf16Panel - 1) / (2 * kBf16Panel);
  // Threads share rows, or images where all rows fit; of few pixels, each rounds all and they share the
  // panels.
  const int rows = g.most_rows(w);
  int pieces = (w.out_h + rows - 1) / rows;
  int images = pieces > 1 ? 1 : std::min(args.batch, g.most_images(w));
  const auto chunks = [&] { return pieces * ((args.batch + images - 1) / images); };
  if (chunks() < threads && args.batch >= threads) images = args.batch / threads;
  if (chunks() < threads) {
    pieces = std::clamp((threads + args.batch - 1) / args.batch, pieces,
                        std::max(pieces, std::min(w.out_h, w.out_h * g.width / kMinChunkPixels)));
    if (pieces > 1) images = 1;
  }
  const int sharing = chunks() < threads ? std::min(pairs, threads) : 1;
  const std::size_t own_floats = bf16_workspace(args.filter, w, args.inputs);
  const Bf16Unit& unit = unit_in_use();
  pool.parallel_for(chunks() * sharing, [&](int call, int thread) {
    const int at = call / sharing;
    const int part = call % sharing;
    const int piece = at % pieces;
    const int image = at / pieces * images;
    const int row = part_of(w.out_h, piece, pieces);
    const Chunk chunk{.image = image,
                      .images = std::min(images, args.batch - image),
                      .row = row,
                      .rows = part_of(w.out_h, piece + 1, pieces) - row};
    auto* own = reinterpret_cast<std::uint16_t*>(workspace + static_cast<std::size_t>(thread) * own_floats);
    run_chunk(args, g, chunk, unit, own, part_of(pairs, part, sharing), part_of(pairs, part + 1, sharing));
  });
}

}  // namespace concertina::kernels
#else
namespace concertina::kernels {

void bf16_conv(const ConvArgs&, float*, ThreadPool&) {}  // bf16_units() is empty

}  // namespace concertina::kernels
#endif
