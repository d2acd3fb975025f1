#include "graph/ops/pool.h"

#include <algorithm>

namespace concertina::op {
namespace {

/// Whether every place of a dilated window along a line has a tap inside: with few pixels it may jump over
/// them.
bool always_inside(std::int64_t size, std::int64_t outputs, int kernel, int stride, int dilation, int pad) {
  constexpr std::int64_t kMaxTaps = 1 << 20;  // bounds the work for strange files
  if (dilation == 1) return true;
  if (outputs * kernel > kMaxTaps) return false;
  for (std::int64_t i = 0; i < outputs; ++i) {
    const std::int64_t first = i * stride - pad;
    const std::int64_t skipped = std::max<std::int64_t>((-first + dilation - 1) / dilation, 0);
    if (skipped >= kernel || first + skipped * dilation >= size) return false;
  }
  return true;
}

Result<Shape> pooled(const Window& window, const Shape& input) {
  if (window.pad_top >= window.extent_h() || window.pad_bottom >= window.extent_h() ||
      window.pad_left >= window.extent_w() || window.pad_right >= window.extent_w()) {
    return Error{"its padding is as large as its window, which would then see no pixel"};
  }
  auto shape = window.slide_over(input);
  if (!shape) return shape;
  const Window& w = window;
  if (!always_inside(input.height, shape->height, w.kernel_h, w.stride_h, w.dilation_h, w.pad_top) ||
      !always_inside(input.width, shape->width, w.kernel_w, w.stride_w, w.dilation_w, w.pad_left)) {
    return Error{"its dilated window sees only padding in some places"};
  }
  return shape;
}

}  // namespace

Result<Shape> MaxPool::output_shape(std::span<const Shape> inputs) const {
  return pooled(window, inputs[0]);
}

Result<Shape> AveragePool::output_shape(std::span<const Shape> inputs) const {
  return pooled(window, inputs[0]);
}

Result<Shape> GlobalAveragePool::output_shape(std::span<const Shape> inputs) const {
  return Shape{inputs[0].channels, 1, 1};
}

}  // namespace concertina::op
