#include "graph/ops/window.h"

#include <fmt/format.h>

namespace concertina {

Result<Shape> Window::slide_over(const Shape& shape) const {
  if (kernel_h < 1 || kernel_w < 1 || stride_h < 1 || stride_w < 1 || dilation_h < 1 || dilation_w < 1) {
    return Error{"kernel, stride and dilation must be at least 1"};
  }
  if (pad_top < 0 || pad_left < 0 || pad_bottom < 0 || pad_right < 0) return Error{"padding is negative"};
  const std::int64_t height = std::int64_t{shape.height} + pad_top + pad_bottom - extent_h();
  const std::int64_t width = std::int64_t{shape.width} + pad_left + pad_right - extent_w();
  if (height < 0 || width < 0) {
    return Error{fmt::format("a {}x{} window does not fit into {} even with its padding", extent_h(),
                             extent_w(), to_string(shape))};
  }
  return Shape{shape.channels, static_cast<int>(height / stride_h + 1),
               static_cast<int>(width / stride_w + 1)};
}

}  // namespace concertina
