#include "data/crop.h"

#include <algorithm>
#include <cmath>
#include <optional>

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

}  // namespace concertina::data
