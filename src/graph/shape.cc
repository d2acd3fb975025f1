#include "graph/shape.h"

#include <fmt/format.h>

namespace concertina {

std::string to_string(const Shape& shape) {
  return fmt::format("{}x{}x{}", shape.channels, shape.height, shape.width);
}

}  // namespace concertina
