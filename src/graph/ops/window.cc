#include "graph/ops/window.h"

#include <fmt/format.h>

namespace concertina {

Result<Shape> Window::slide_over(const Shape& shape) const {
  if (kernel_h < 1 || kernel_w < 1 || stride_h < 1 || stride_w < 1) {
    return Error{"kernel and stride must be at least 1"};
  }
  if (pad_top < 0 || pad_left < 0 || pad_bottom < 0 || pad_right < 0) return Error{"padding is negative"};
  const int height = shape.height + pad_top + pad_bottom - kernel_h;
  const int width = shape.width + pad_left + pad_right - kernel_w;
  if (height < 0 || width < 0) {
    return Error{fmt::format("a {}x{} window does not fit into {} even with its padding", kernel_h, kernel_w,
                             to_string(shape))};
  }
  return Shape{shape.channels, height / stride_h + 1, width / stride_w + 1};
}

}  // namespace concertina
