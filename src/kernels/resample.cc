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
void add_rows(const ScaledLine& rows, std::size_t y, const float* plane, int width, float* line) {
  const float* from = plane + std::ptrdiff_t{rows.first[y]} * width;
  const float* weights = rows.weights.data() + y;
  const std::size_t step = rows.first.size();
  int x = 0;
  for (; x + kLanes <= width; x += kLanes) {
    V sum = hn::Zero(kTag);
    for (int k = 0; k < rows.taps; ++k) {
      const V weight = hn::Set(kTag, weights[static_cast<std::size_t>(k) * step]);
      sum = hn::MulAdd(hn::LoadU(kTag, from + std::ptrdiff_t{k} * width + x), weight, sum);
    }
    hn::StoreU(sum, kTag, line + x);
  }
  for (; x < width; ++x) {
    float sum = 0;
    for (int k = 0; k < rows.taps; ++k)
      sum += from[std::ptrdiff_t{k} * width + x] * weights[static_cast<std::size_t>(k) * step];
    line[x] = sum;
  }
}

void scale_columns(const ScaledLine& columns, const float* line, float* out) {
  const hn::RebindToSigned<D> positions;
  const std::size_t step = columns.first.size();
  for (int x = 0; x < columns.to; x += kLanes) {
    const auto first = hn::LoadU(positions, columns.first.data() + x);
    V sum = hn::Zero(kTag);
    for (int k = 0; k < columns.taps; ++k) {
      const V values = hn::GatherIndex(kTag, line + k, first);
      sum = hn::MulAdd(values,
                       hn::LoadU(kTag, columns.weights.data() + static_cast<std::size_t>(k) * step + x), sum);
    }
    if (x + kLanes <= columns.to) {
      hn::StoreU(sum, kTag, out + x);
    } else {
      store_first(sum, out + x, columns.to - x);
    }
  }
}

void scale_all(const ScaleArgs& args, float* workspace, std::size_t own, ThreadPool& pool) {
  const ScaledLine &rows = args.rows, &columns = args.columns;
  pool.parallel_for(args.planes * rows.to, [&](int row, int thread) HWY_ATTR {
    const float* plane = args.input + std::ptrdiff_t{row / rows.to} * rows.from * columns.from;
    float* line = workspace + static_cast<std::size_t>(thread) * own;
    add_rows(rows, static_cast<std::size_t>(row % rows.to), plane, columns.from, line);
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
constexpr std::size_t kMostLanes = 16;
}  // namespace

ScaledLine scale_line(int from, int to) {
  std::vector<TriangleTap> taps;
  ScaledLine line{.from = from, .to = to, .first = {}, .weights = {}};
  for (int i = 0; i < to; ++i) {
    taps.push_back(triangle_tap(from, to, i));
    line.taps = std::max(line.taps, static_cast<int>(taps.back().weights.size()));
  }
  const std::size_t padded = (taps.size() + kMostLanes - 1) / kMostLanes * kMostLanes;
  line.first.resize(padded);
  line.weights.resize(padded * static_cast<std::size_t>(line.taps));
  for (std::size_t i = 0; i < taps.size(); ++i) {
    const auto& [first, weights, sum] = taps[i];
    // All read so many pixels, none of them behind the line's end.
    const std::size_t begin = std::min(first, static_cast<std::size_t>(from - line.taps));
    line.first[i] = static_cast<std::int32_t>(begin);
    for (std::size_t k = 0; k < weights.size(); ++k)
      line.weights[(first - begin + k) * padded + i] = static_cast<float>(weights[k] / sum);
  }
  return line;
}

std::size_t workspace_scale(const ScaleArgs& args) {
  return static_cast<std::size_t>(args.columns.from);
}

void scale_planes(const ScaleArgs& args, float* workspace, ThreadPool& pool) {
  HWY_DYNAMIC_DISPATCH(scale_all)(args, workspace, workspace_scale(args), pool);
}

}  // namespace concertina::kernels
#endif
