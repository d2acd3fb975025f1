#include "kernels/resample.h"

#include <algorithm>

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

}  // namespace
}  // namespace concertina::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace concertina::kernels {

CONCERTINA_EXPORT(pick_pixels, PickArgs)
CONCERTINA_EXPORT(blend_pixels, BlendArgs)

}  // namespace concertina::kernels
#endif
