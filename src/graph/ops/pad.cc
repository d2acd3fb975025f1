#include "graph/ops/pad.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace concertina::op {

Result<Shape> Pad::output_shape(std::span<const Shape> inputs) const {
  Shape shape = inputs[0];
  if (!std::isfinite(value)) return Error{"its value is not finite"};
  for (const int margin : {top, left, bottom, right}) {
    if (margin < 0) return Error{"it cuts a map, as its padding is negative"};
  }
  if (mode == Mode::reflect &&
      (std::max(top, bottom) >= shape.height || std::max(left, right) >= shape.width)) {
    return Error{fmt::format("it reflects more than there is of {}", to_string(shape))};
  }
  const std::int64_t height = std::int64_t{shape.height} + top + bottom;
  const std::int64_t width = std::int64_t{shape.width} + left + right;
  if (std::max(height, width) > std::numeric_limits<int>::max()) return Error{"its result is too large"};
  shape.height = static_cast<int>(height);
  shape.width = static_cast<int>(width);
  return shape;
}

int Pad::source(int i, int before, int size) const {
  const int at = i - before;
  if (at >= 0 && at < size) return at;
  switch (mode) {
    case Mode::constant:
      return -1;
    case Mode::edge:
      return std::clamp(at, 0, size - 1);
    case Mode::reflect:
      return at < 0 ? -at : 2 * (size - 1) - at;
  }
  return -1;
}

}  // namespace concertina::op
