#include "kernels/resample.h"

#include <algorithm>

#include "base/resampling.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/resample.cc"
#include "hwy/foreach_target.h"  // must come before highway.h
#include "hwy/highway.h"
#include "kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace concertina::kernels::HWY_NAMESPACE {
namespace {

/// Calls body(image, y, first output pixel of the row) for every output row.
template <typename Args, typename Body>
void for_rows(const Args& args, ThreadPool& pool, const Body& body) {
  const int rows = static_cast<int>(args.rows.size());
  const auto width = static_cast<std::ptrdiff_t>(args.columns.size());
  pool.parallel_for(args.batch * rows, [&](int row) {
    const std::ptrdiff_t image = std::ptrdiff_t{row / rows} * args.in_h * args.in_w * args.input_stride;
    body(args.input + image, static_cast<std::size_t>(row % rows),
         args.output + row * width * args.output_stride);
  });
}

void pick_pixels(const PickArgs& args, ThreadPool& pool) {
  for_rows(args, pool, [&](const float* image, std::size_t y, float* out) HWY_ATTR {
    const V value = hn::Set(kTag, args.value);
    const int row = args.rows[y];
    for (const int column : args.columns) {
      const bool inside = row >= 0 && column >= 0;
      const float* from =
          inside ? image + (std::ptrdiff_t{row} * args.in_w + column) * args.input_stride : image;
      for (int c = 0; c < args.channels; c += kLanes)
        hn::StoreU(inside ? hn::LoadU(kTag, from + c) : value, kTag, out + c);
      out += args.output_stride;
    }
  });
}

HWY_INLINE V between(V a, V b, V share) {
  return hn::MulAdd(b, share, hn::NegMulAdd(a, share, a));
}

void blend_pixels(const BlendArgs& args, ThreadPool& pool) {
  for_rows(args, pool, [&](const float* image, std::size_t y, float* out) HWY_ATTR {
    const LinearTap& row = args.rows[y];
    const std::ptrdiff_t line = args.in_w * args.input_stride;
    const float* upper = image + row.first * line;
    const float* lower = image + row.second * line;
    const V down = hn::Set(kTag, row.share);
    for (const LinearTap& column : args.columns) {
      const std::ptrdiff_t left = column.first * args.input_stride, right = column.second * args.input_stride;
      const V across = hn::Set(kTag, column.share);
      for (int c = 0; c < args.channels; c += kLanes) {
        const V above =
            between(hn::LoadU(kTag, upper + left + c), hn::LoadU(kTag, upper + right + c), across);
        const V below =
            between(hn::LoadU(kTag, lower + left + c), hn::LoadU(kTag, lower + right + c), across);
        hn::StoreU(between(above, below, down), kTag, out + c);
      }
      out += args.output_stride;
    }
  });
}

/// line[x] = sum over the row's taps of weight * input row[x]
void add_rows(const ScaledLine& rows, int y, const float* plane, int width, float* line) {
  const int first = rows.first[static_cast<std::size_t>(y)], taps = std::min(rows.taps, rows.from - first);
  const float* from = plane + std::ptrdiff_t{first} * width;
  const float* weights = rows.weights.data() + std::ptrdiff_t{y} * rows.taps;
  int x = 0;
  for (; x + kLanes <= width; x += kLanes) {
    V sum = hn::Zero(kTag);
    for (int k = 0; k < taps; ++k) {
      const V pixels = hn::LoadU(kTag, from + std::ptrdiff_t{k} * width + x);
      sum = hn::MulAdd(pixels, hn::Set(kTag, weights[k]), sum);
    }
    hn::StoreU(sum, kTag, line + x);
  }
  for (; x < width; ++x) {
    line[x] = 0;
    for (int k = 0; k < taps; ++k) line[x] += from[std::ptrdiff_t{k} * width + x] * weights[k];
  }
}

/// Plain loops: vectors would have to gather, which takes longer. Precondition: there are as many zeros
/// behind the line as taps.
void scale_columns(const ScaledLine& columns, const float* line, float* out) {
  const float* w = columns.weights.data();
  for (int x = 0; x < columns.to; ++x) {
    const float* p = line + columns.first[static_cast<std::size_t>(x)];
    float sum = 0;
    for (int k = 0; k < columns.taps; k += 4, w += 4)
      sum += p[k] * w[0] + p[k + 1] * w[1] + p[k + 2] * w[2] + p[k + 3] * w[3];
    out[x] = sum;
  }
}

void scale_all(const ScaleArgs& args, float* workspace, std::size_t own, ThreadPool& pool) {
  const ScaledLine &rows = args.rows, &columns = args.columns;
  pool.parallel_for(args.planes * rows.to, [&](int row, int thread) HWY_ATTR {
    const float* plane = args.input + std::ptrdiff_t{row / rows.to} * rows.from * columns.from;
    float* line = workspace + static_cast<std::size_t>(thread) * own;
    add_rows(rows, row % rows.to, plane, columns.from, line);
    std::fill_n(line + columns.from, columns.taps, 0.0F);
    scale_columns(columns, line, args.output + std::ptrdiff_t{row} * columns.to);
  });
}

}  // namespace
}  // namespace concertina::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace concertina::kernels {

CONCERTINA_EXPORT(pick_pixels, PickArgs)
CONCERTINA_EXPORT(blend_pixels, BlendArgs)

namespace {
HWY_EXPORT(scale_all);
}  // namespace

ScaledLine scale_line(int from, int to) {
  constexpr std::size_t kUnit = 4;
  std::vector<TriangleTap> taps;
  std::size_t most = 0;
  for (int i = 0; i < to; ++i)
    most = std::max(most, taps.emplace_back(triangle_tap(from, to, i)).weights.size());
  const std::size_t padded = (most + kUnit - 1) / kUnit * kUnit;
  ScaledLine line{.from = from, .to = to, .taps = static_cast<int>(padded), .first = {}, .weights = {}};
  for (const auto& [first, weights, sum] : taps) {
    line.first.push_back(static_cast<int>(first));
    for (const double weight : weights) line.weights.push_back(static_cast<float>(weight / sum));
    line.weights.resize(line.first.size() * padded);
  }
  return line;
}

std::size_t workspace_scale(const ScaleArgs& args) {
  return static_cast<std::size_t>(args.columns.from) + static_cast<std::size_t>(args.columns.taps);
}

void scale_planes(const ScaleArgs& args, float* workspace, ThreadPool& pool) {
  HWY_DYNAMIC_DISPATCH(scale_all)(args, workspace, workspace_scale(args), pool);
}

}  // namespace concertina::kernels
#endif
