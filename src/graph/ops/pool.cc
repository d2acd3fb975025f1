#include "graph/ops/pool.h"

namespace concertina::op {
namespace {

Result<Shape> pooled(const Window& window, const Shape& input) {
  if (window.pad_top >= window.extent_h() || window.pad_bottom >= window.extent_h() ||
      window.pad_left >= window.extent_w() || window.pad_right >= window.extent_w()) {
    return Error{"its padding is as large as its window, which would then see no pixel"};
  }
  return window.slide_over(input);
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
