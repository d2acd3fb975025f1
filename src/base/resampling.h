#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace concertina {

/// How one pixel of a line is made that goes to another number of pixels: the sum of weights[i] *
/// input[first + i], divided by `sum`, that of the weights.
struct TriangleTap {
  std::size_t first = 0;
  std::vector<double> weights;
  double sum = 0;
};

/// Bilinear with antialiasing, the weights being those of Pillow's Image.resize(..., BILINEAR): a triangle as
/// wide as the step between output pixels, never narrower than one input pixel. Preconditions: from, to >= 1,
/// 0 <= out < to.
TriangleTap triangle_tap(std::int64_t from, std::int64_t to, std::int64_t out);

}  // namespace concertina
