#include "data/crop.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/resampling.h"

namespace concertina::data {
namespace {

constexpr double kSmallestShare = 0.08;
constexpr double kNarrowest = 3.0 / 4, kWidest = 4.0 / 3;  // width / height
constexpr std::uint64_t kTries = 10;
constexpr std::uint64_t kNumbersPerTry = 4;

/// To the nearest; halves go to the even neighbour, as Python's round() does.
int rounded(double x) {
  return static_cast<int>(std::nearbyint(x));
}

std::optional<Box> draw(int height, int width, const CounterRandom& random, std::uint64_t counter) {
  const double share = kSmallestShare + random.uniform(counter) * (1 - kSmallestShare);
  const double area = static_cast<double>(height) * width * share;
  const double span = std::log(kWidest) - std::log(kNarrowest);
  const double ratio = std::exp(std::log(kNarrowest) + random.uniform(counter + 1) * span);
  Box box{.height = rounded(std::sqrt(area / ratio)), .width = rounded(std::sqrt(area * ratio))};
  if (box.height < 1 || box.width < 1 || box.height > height || box.width > width) return std::nullopt;
  box.top = static_cast<int>(random.below(static_cast<std::uint64_t>(height - box.height) + 1, counter + 2));
  box.left = static_cast<int>(random.below(static_cast<std::uint64_t>(width - box.width) + 1, counter + 3));
  return box;
}

Box largest_allowed(int height, int width) {
  const double ratio = static_cast<double>(width) / height;
  Box box{.height = height, .width = width};
  if (ratio < kNarrowest) box.height = std::clamp(rounded(width / kNarrowest), 1, height);
  if (ratio > kWidest) box.width = std::clamp(rounded(height * kWidest), 1, width);
  box.top = (height - box.height) / 2;
  box.left = (width - box.width) / 2;
  return box;
}

constexpr int kFractionBits = 22;  // 8 bits of pixel, a sign, and one to spare, in 32 bits

// Output pixels first .. first + count - 1 of an axis that goes from `from` to `to` pixels.
struct Axis {
  std::int64_t from;
  std::int64_t to;
  std::int64_t first;
  int count;
};

// How one output pixel is made: sum of weights[i] * input[first + i].
struct Tap {
  std::size_t first;
  std::vector<std::int32_t> weights;
};

Tap make_tap(const Axis& axis, std::int64_t out) {
  const TriangleTap exact = triangle_tap(axis.from, axis.to, out);
  Tap tap{exact.first, {}};
  for (const double weight : exact.weights) {
    tap.weights.push_back(static_cast<std::int32_t>(weight * (1 / exact.sum) * (1 << kFractionBits) + 0.5));
  }
  return tap;
}

// Resamples the middle axis of [outer][axis.from][inner].
std::vector<std::uint8_t> resample(const std::vector<std::uint8_t>& in, std::size_t outer, const Axis& axis,
                                   std::size_t inner) {
  const auto from = static_cast<std::size_t>(axis.from);
  const auto count = static_cast<std::size_t>(axis.count);
  std::vector<std::uint8_t> out(outer * count * inner);
  std::vector<std::int32_t> sums(inner);
  for (std::size_t x = 0; x < count; ++x) {
    const Tap tap = make_tap(axis, axis.first + static_cast<std::int64_t>(x));
    for (std::size_t o = 0; o < outer; ++o) {
      std::fill(sums.begin(), sums.end(), 1 << (kFractionBits - 1));
      const std::uint8_t* source = in.data() + (o * from + tap.first) * inner;
      for (const std::int32_t weight : tap.weights) {
        for (std::size_t i = 0; i < inner; ++i) sums[i] += weight * source[i];
        source += inner;
      }
      std::uint8_t* target = out.data() + (o * count + x) * inner;
      for (std::size_t i = 0; i < inner; ++i) {
        target[i] = static_cast<std::uint8_t>(std::clamp(sums[i] >> kFractionBits, 0, 255));
      }
    }
  }
  return out;
}

Image resample(const Image& image, const Axis& y, const Axis& x) {
  const auto height = static_cast<std::size_t>(image.height);
  const auto channels = static_cast<std::size_t>(image.channels);
  Image out{y.count, x.count, image.channels, {}};
  const std::vector<std::uint8_t> narrowed = resample(image.pixels, height, x, channels);
  out.pixels = resample(narrowed, 1, y, static_cast<std::size_t>(x.count) * channels);
  return out;
}

// Where the middle starts; halves go to the even neighbour, as Python's round() does.
std::int64_t middle(std::int64_t whole, int part) {
  return static_cast<std::int64_t>(std::nearbyint(static_cast<double>(whole - part) / 2));
}

struct Axes {
  Axis y, x;
};

Axes axes_of_centre(const Image& image, int shorter, int size) {
  const std::int64_t now = std::min(image.height, image.width);
  const std::int64_t height = image.height * std::int64_t{shorter} / now;
  const std::int64_t width = image.width * std::int64_t{shorter} / now;
  return {{image.height, height, middle(height, size), size},
          {image.width, width, middle(width, size), size}};
}

/// For each pixel of the axis the nearest of the source.
std::vector<int> nearest(const Axis& axis) {
  std::vector<int> sources;
  for (std::int64_t i = axis.first; i < axis.first + axis.count; ++i)
    sources.push_back(static_cast<int>((2 * i + 1) * axis.from / (2 * axis.to)));
  return sources;
}

Image take_nearest(const Image& map, const Axis& y, const Axis& x) {
  const std::vector<int> rows = nearest(y), columns = nearest(x);
  Image out{y.count, x.count, 1, {}};
  for (const int row : rows) {
    for (const int column : columns)
      out.pixels.push_back(map.pixels[static_cast<std::size_t>(row) * static_cast<std::size_t>(map.width) +
                                      static_cast<std::size_t>(column)]);
  }
  return out;
}

}  // namespace

Box random_box(int height, int width, const CounterRandom& random) {
  for (std::uint64_t i = 0; i < kTries; ++i) {
    if (const auto box = draw(height, width, random, i * kNumbersPerTry)) return *box;
  }
  return largest_allowed(height, width);
}

Image crop(const Image& image, const Box& box) {
  Image part{box.height, box.width, image.channels, {}};
  const auto row = static_cast<std::ptrdiff_t>(image.width) * image.channels;
  const auto count = static_cast<std::ptrdiff_t>(box.width) * image.channels;
  part.pixels.reserve(static_cast<std::size_t>(box.height * count));
  for (int y = box.top; y < box.top + box.height; ++y) {
    const auto from = image.pixels.begin() + y * row + static_cast<std::ptrdiff_t>(box.left) * image.channels;
    part.pixels.insert(part.pixels.end(), from, from + count);
  }
  return part;
}

Image mirror(Image image) {
  const auto channels = static_cast<std::size_t>(image.channels);
  const std::size_t row = static_cast<std::size_t>(image.width) * channels;
  for (std::size_t at = 0; at < image.pixels.size(); at += row) {
    for (std::size_t a = at, b = at + row - channels; a < b; a += channels, b -= channels) {
      std::swap_ranges(image.pixels.begin() + static_cast<std::ptrdiff_t>(a),
                       image.pixels.begin() + static_cast<std::ptrdiff_t>(a + channels),
                       image.pixels.begin() + static_cast<std::ptrdiff_t>(b));
    }
  }
  return image;
}

Image resize_bilinear(const Image& image, int height, int width) {
  return resample(image, {image.height, height, 0, height}, {image.width, width, 0, width});
}

Image resize_nearest(const Image& map, int height, int width) {
  return take_nearest(map, {map.height, height, 0, height}, {map.width, width, 0, width});
}

Image fit_centre(Image image, int shorter, int size) {
  if (image.height == size && image.width == size && shorter == size) return image;
  const auto [y, x] = axes_of_centre(image, shorter, size);
  return resample(image, y, x);
}

Image fit_centre_nearest(const Image& map, int shorter, int size) {
  const auto [y, x] = axes_of_centre(map, shorter, size);
  return take_nearest(map, y, x);
}

Image fit_square(Image image, int size) {
  return fit_centre(std::move(image), size, size);
}

}  // namespace concertina::data
