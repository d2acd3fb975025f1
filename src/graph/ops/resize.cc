#include "graph/ops/resize.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace concertina::op {
namespace {

float place(Resize::Coordinates coordinates, int i, int in, int out, float scale) {
  const auto at = static_cast<float>(i);
  switch (coordinates) {
    case Resize::Coordinates::half_pixel:
      return (at + 0.5F) / scale - 0.5F;
    case Resize::Coordinates::pytorch_half_pixel:
      return out > 1 ? (at + 0.5F) / scale - 0.5F : 0;
    case Resize::Coordinates::asymmetric:
      return at / scale;
    case Resize::Coordinates::align_corners:
      return out > 1 ? at * static_cast<float>(in - 1) / static_cast<float>(out - 1) : 0;
  }
  return 0;
}

float rounded(Resize::Rounding rounding, float x) {
  switch (rounding) {
    case Resize::Rounding::prefer_floor:
      return std::ceil(x - 0.5F);
    case Resize::Rounding::prefer_ceil:
      return std::floor(x + 0.5F);
    case Resize::Rounding::floor:
      return std::floor(x);
    case Resize::Rounding::ceil:
      return std::ceil(x);
  }
  return x;
}

}  // namespace

float Resize::exact_scale(float scale, int in, int out) {
  const auto made = [&](float s) { return std::floor(static_cast<float>(in) * s); };
  const auto wanted = static_cast<float>(out);
  if (made(scale) == wanted) return scale;
  scale = wanted / static_cast<float>(in);
  while (made(scale) < wanted) scale = std::nextafter(scale, std::numeric_limits<float>::infinity());
  while (made(scale) > wanted) scale = std::nextafter(scale, 0.0F);
  return scale;
}

Result<Shape> Resize::output_shape(std::span<const Shape> inputs) const {
  if (height < 1 || width < 1) return Error{"it makes a map without pixels"};
  const auto fits = [](float scale) { return std::isfinite(scale) && scale > 0; };
  if (!fits(scale_h) || !fits(scale_w)) return Error{"its scale is not a positive number"};
  return Shape{inputs[0].channels, height, width};
}

std::vector<Resize::Tap> Resize::rows(int input_height) const {
  return taps(input_height, height, scale_h);
}

std::vector<Resize::Tap> Resize::columns(int input_width) const {
  return taps(input_width, width, scale_w);
}

std::vector<Resize::Tap> Resize::taps(int in, int out, float scale) const {
  std::vector<Tap> list;
  const auto last = static_cast<float>(in - 1);
  for (int i = 0; i < out; ++i) {
    const float x = place(coordinates, i, in, out, scale);
    if (mode == Mode::nearest) {
      const int pixel = static_cast<int>(std::clamp(rounded(rounding, x), 0.0F, last));
      list.push_back({pixel, pixel, 0});
      continue;
    }
    const float inside = std::clamp(x, 0.0F, last);
    const int first = static_cast<int>(inside);
    list.push_back({first, std::min(first + 1, in - 1), inside - static_cast<float>(first)});
  }
  return list;
}

Result<Shape> Pad::output_shape(std::span<const Shape> inputs) const {
  Shape shape = inputs[0];
  if (!std::isfinite(value)) return Error{"its value is not finite"};
  for (const int margin : {top, left, bottom, right}) {
    if (margin < 0 && mode != Mode::constant) return Error{"it cuts a map that it also repeats"};
  }
  const auto cut = [](int before, int after) {
    return -(std::int64_t{std::min(before, 0)} + std::min(after, 0));
  };
  if (cut(top, bottom) >= shape.height || cut(left, right) >= shape.width)
    return Error{fmt::format("it cuts off all of {}", to_string(shape))};
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
