#include "kernels/normalize.h"

#include <algorithm>
#include <cmath>

#include "kernels/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/normalize.cc"
// clang-format off
#include "hwy/foreach_target.h"  // must come before the rest
#include "hwy/highway.h"
// clang-format on
#include "kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace concertina::kernels::HWY_NAMESPACE {
namespace {

/// The sum of term(x) over the channels of a pixel. Four sums, because an addition takes as long as four can
/// begin.
template <typename Term>
HWY_INLINE float sum_of_terms(const float* x, int channels, const Term& term) {
  V sums[4] = {hn::Zero(kTag), hn::Zero(kTag), hn::Zero(kTag), hn::Zero(kTag)};
  const int whole = channels / kLanes * kLanes;
  int c = 0;
  for (; c + 4 * kLanes <= whole; c += 4 * kLanes) {
    for (int i = 0; i < 4; ++i) sums[i] = hn::Add(sums[i], term(hn::LoadU(kTag, x + c + i * kLanes)));
  }
  for (; c < whole; c += kLanes) sums[0] = hn::Add(sums[0], term(hn::LoadU(kTag, x + c)));
  if (c < channels) {
    const auto real = hn::FirstN(kTag, static_cast<std::size_t>(channels - c));
    sums[1] = hn::Add(sums[1], hn::IfThenElseZero(real, term(hn::LoadU(kTag, x + c))));
  }
  return hn::GetLane(hn::SumOfLanes(kTag, hn::Add(hn::Add(sums[0], sums[1]), hn::Add(sums[2], sums[3]))));
}

void normalize_pixel(const NormalizeArgs& args, const float* x, float* out) {
  const auto count = static_cast<float>(args.channels);
  const V mean = hn::Set(kTag, sum_of_terms(x, args.channels, [](V v) HWY_ATTR { return v; }) / count);
  const float squares = sum_of_terms(x, args.channels, [mean](V v) HWY_ATTR {
    const V off = hn::Sub(v, mean);
    return hn::Mul(off, off);
  });
  const V factor = hn::Set(kTag, 1 / std::sqrt(squares / count + args.epsilon));
  for (int c = 0; c < args.channels; c += kLanes) {
    const V scaled = hn::Mul(factor, hn::LoadU(kTag, args.scale + c));
    const V off = hn::Sub(hn::LoadU(kTag, x + c), mean);
    hn::StoreU(hn::MulAdd(off, scaled, hn::LoadU(kTag, args.shift + c)), kTag, out + c);
  }
}

void normalize_pixels(const NormalizeArgs& args, ThreadPool& pool) {
  NormalizeArgs all = args;
  all.pixels *= all.batch;
  for_pixels(all, all.channels, pool, [&](const float* x, float* out) { normalize_pixel(all, x, out); });
}

}  // namespace
}  // namespace concertina::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace concertina::kernels {
namespace {

/// Channels that are summed side by side.
constexpr int kBlock = 32;

/// Some channels of the pixels of an image.
struct Part {
  const float* input;
  std::ptrdiff_t stride;
  int pixels;
  int begin, end;  ///< channels
};

/// Adds term(value) of every pixel for each channel of a block. Eight pixels at a time in fp32, their sums in
/// double precision.
template <typename Term>
void add_pixels(const Part& part, int begin, int end, const Term& term, double* sums) {
  constexpr int kRun = 8;
  for (int p = 0; p < part.pixels; p += kRun) {
    float run[kBlock] = {};
    for (int i = p; i < std::min(part.pixels, p + kRun); ++i) {
      const float* x = part.input + i * part.stride + begin;
      for (int c = 0; c < end - begin; ++c) run[c] += term(x[c], begin + c);
    }
    for (int c = 0; c < end - begin; ++c) sums[c] += run[c];
  }
}

/// Mean and 1 / sqrt(variance + epsilon) of a group of more than a block.
struct Moments {
  float mean, factor;
};

template <typename Term>
double sum_of(const Part& part, const Term& term) {
  double sum = 0;
  for (int begin = part.begin; begin < part.end; begin += kBlock) {
    double sums[kBlock] = {};
    const int end = std::min(part.end, begin + kBlock);
    add_pixels(part, begin, end, term, sums);
    for (int c = 0; c < end - begin; ++c) sum += sums[c];
  }
  return sum;
}

Moments moments_of(const Part& part, float epsilon) {
  const double count = static_cast<double>(part.pixels) * (part.end - part.begin);
  const auto mean = static_cast<float>(sum_of(part, [](float x, int) { return x; }) / count);
  const double squares = sum_of(part, [mean](float x, int) { return (x - mean) * (x - mean); });
  return {mean, static_cast<float>(1 / std::sqrt(squares / count + epsilon))};
}

void apply(const NormalizeArgs& args, const Part& part, float* output, const Moments& moments) {
  for (int p = 0; p < part.pixels; ++p) {
    const float* x = part.input + p * part.stride;
    float* y = output + p * args.output_stride;
    for (int c = part.begin; c < part.end; ++c)
      y[c] = (x[c] - moments.mean) * moments.factor * args.scale[c] + args.shift[c];
  }
}

/// Channels of groups of one, side by side.
void normalize_instances(const NormalizeArgs& args, const Part& part, float* output) {
  const int count = part.end - part.begin;
  double sums[kBlock] = {}, squares[kBlock] = {};
  float mean[kBlock], scale[kBlock];
  add_pixels(
      part, part.begin, part.end, [](float x, int) { return x; }, sums);
  for (int c = 0; c < count; ++c) mean[c] = static_cast<float>(sums[c] / part.pixels);
  const auto square = [&](float x, int c) {
    const float off = x - mean[c - part.begin];
    return off * off;
  };
  add_pixels(part, part.begin, part.end, square, squares);
  for (int c = 0; c < count; ++c) {
    const double factor = 1 / std::sqrt(squares[c] / part.pixels + args.epsilon);
    scale[c] = static_cast<float>(factor) * args.scale[part.begin + c];
  }
  for (int p = 0; p < part.pixels; ++p) {
    const float* x = part.input + p * part.stride + part.begin;
    float* y = output + p * args.output_stride + part.begin;
    for (int c = 0; c < count; ++c) y[c] = (x[c] - mean[c]) * scale[c] + args.shift[part.begin + c];
  }
}

}  // namespace

HWY_EXPORT(normalize_pixels);

void normalize(const NormalizeArgs& args, ThreadPool& pool) {
  if (args.by_pixel) return HWY_DYNAMIC_DISPATCH(normalize_pixels)(args, pool);
  const int size = args.group == 1 ? kBlock : args.group;
  const int parts = (args.channels + size - 1) / size;
  pool.parallel_for(args.batch * parts, [&](int i) {
    const std::ptrdiff_t first = std::ptrdiff_t{i / parts} * args.pixels;
    const int begin = i % parts * size;
    const Part part{args.input + first * args.input_stride, args.input_stride, args.pixels, begin,
                    std::min(args.channels, begin + size)};
    float* output = args.output + first * args.output_stride;
    if (args.group == 1) return normalize_instances(args, part, output);
    apply(args, part, output, moments_of(part, args.epsilon));
  });
}

}  // namespace concertina::kernels
#endif
