#include <immintrin.h>

#include <algorithm>
#include <array>

#include "hwy/highway.h"
#include "kernels/int8_unit.h"

// int8 with 16 registers of 256 bits. The includer defines CONCERTINA_INT8_ATTRIBUTES, the instructions that
// its multiplication needs; what is here is compiled for them, once for each includer.

HWY_PUSH_ATTRIBUTES(CONCERTINA_INT8_ATTRIBUTES)
namespace concertina::kernels {
namespace {

// Weights that stay in the first-level cache under all pixels of a call: 8 KB of two panels.
constexpr int kSlabQuads = 64;

/// Quads that lie side by side in a pixel and in the weights.
struct Run {
  std::ptrdiff_t input = 0;    ///< bytes from a pixel
  std::ptrdiff_t weights = 0;  ///< bytes from a panel
  int quads = 0;
};

inline __m256i broadcast(const std::uint8_t* quad) {
  int bits = 0;
  __builtin_memcpy(&bits, quad, sizeof bits);
  return _mm256_set1_epi32(bits);
}

inline __m256i load(const void* from) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(from));
}

inline void store(__m256i v, std::int32_t* to) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), v);
}

/// Some runs of kRows pixels, under one panel or two.
template <class Unit, int kRows, bool kTwo>
void add_runs(std::span<const Run> runs, const Int8Panels& p, const std::uint8_t* input, std::int32_t* sums) {
  constexpr int kHalf = kChunkPanel / 2;
  constexpr int kHalves = kTwo ? 4 : 2;
  __m256i own[kRows][kHalves];
  for (int i = 0; i < kRows; ++i) {
    for (int h = 0; h < kHalves; ++h) own[i][h] = load(sums + i * 2 * kChunkPanel + h * kHalf);
  }
  for (const Run& run : runs) {
    const std::uint8_t* at = input + run.input;
    const std::int8_t* weights = p.weights + run.weights;
    const std::int8_t* weights2 = kTwo ? p.weights2 + run.weights : nullptr;
    for (int k = 0; k < run.quads; ++k, at += kQuad, weights += kQuadRow) {
#pragma GCC unroll 3
      for (int i = 0; i < kRows; ++i) {
        const __m256i x = broadcast(at + i * p.pixel);
        own[i][0] = Unit::add(own[i][0], x, load(weights));
        own[i][1] = Unit::add(own[i][1], x, load(weights + kQuadRow / 2));
        if constexpr (kTwo) {
          own[i][2] = Unit::add(own[i][2], x, load(weights2));
          own[i][3] = Unit::add(own[i][3], x, load(weights2 + kQuadRow / 2));
        }
      }
      if constexpr (kTwo) weights2 += kQuadRow;
    }
  }
  for (int i = 0; i < kRows; ++i) {
    for (int h = 0; h < kHalves; ++h) store(own[i][h], sums + i * 2 * kChunkPanel + h * kHalf);
  }
}

/// The runs of a pixel in the order of its taps, a slab at a time.
class Slabs {
 public:
  explicit Slabs(const Int8Panels& panels) : p_(panels) {}

  /// The next ones; none at the end.
  std::span<const Run> next() {
    int room = kSlabQuads;
    std::size_t count = 0;
    for (; room > 0 && tap_ < p_.taps.size(); ++count) {
      const ChannelRange& range = p_.ranges[range_];
      const int quads = std::min(room, quads_of(range) - done_);
      const std::ptrdiff_t row =
          static_cast<std::ptrdiff_t>(tap_) * p_.rows + range.weight_begin / kQuad + done_;
      runs_[count] = {.input = p_.taps[tap_] + before_, .weights = row * kQuadRow, .quads = quads};
      room -= quads;
      advance(quads, quads_of(range));
    }
    return {runs_.data(), count};
  }

 private:
  void advance(int quads, int of) {
    before_ += quads * kQuad;
    done_ += quads;
    if (done_ < of) return;
    done_ = 0;
    if (++range_ < p_.ranges.size()) return;
    range_ = 0;
    before_ = 0;
    ++tap_;
  }

  const Int8Panels& p_;
  std::array<Run, kSlabQuads> runs_;
  std::size_t tap_ = 0;
  std::size_t range_ = 0;
  int done_ = 0;               ///< quads of the range
  std::ptrdiff_t before_ = 0;  ///< bytes of the pixel
};

template <class Unit, bool kTwo>
void products_of(const Int8Panels& p, const std::uint8_t* input, int pixels, std::int32_t* sums) {
  constexpr int kRow = 2 * kChunkPanel;
  for (int i = 0; i < pixels; ++i) std::copy_n(p.starts, (kTwo ? 2 : 1) * kChunkPanel, sums + i * kRow);
  Slabs slabs(p);
  for (std::span<const Run> runs = slabs.next(); !runs.empty(); runs = slabs.next()) {
    int i = 0;
    for (; i + Unit::kTogether <= pixels; i += Unit::kTogether)
      add_runs<Unit, Unit::kTogether, kTwo>(runs, p, input + i * p.pixel, sums + i * kRow);
    for (; i < pixels; ++i) add_runs<Unit, 1, kTwo>(runs, p, input + i * p.pixel, sums + i * kRow);
  }
}

/// Int8Unit::products. Unit: kTogether pixels at a time, whose sums of two panels fit the registers, and
/// add(sums, inputs, weights), which adds four products to each sum.
template <class Unit>
void products(const Int8Panels& p, const std::uint8_t* input, int pixels, std::int32_t* sums) {
  p.weights2 != nullptr ? products_of<Unit, true>(p, input, pixels, sums)
                        : products_of<Unit, false>(p, input, pixels, sums);
}

}  // namespace
}  // namespace concertina::kernels
HWY_POP_ATTRIBUTES
