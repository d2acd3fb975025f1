#include "graph/ops/as_map.h"

#include <fmt/format.h>

namespace concertina::op {

Result<Shape> AsMap::output_shape(std::span<const Shape> inputs) const {
  if (inputs[0].height == 1 && inputs[0].width == 1) return inputs[0];
  return Error{fmt::format("it makes a map of a vector, but {} arrives", to_string(inputs[0]))};
}

}  // namespace concertina::op
