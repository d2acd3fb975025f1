#include "data/resize.h"

#include <gmock/gmock.h>

#include <cmath>

#include "base/random.h"
#include "testing/image_files.h"

namespace concertina::data {
namespace {

Image noise(int height, int width, int channels) {
  Image image{height, width, channels,
              std::vector<std::uint8_t>(static_cast<std::size_t>(height * width * channels))};
  const CounterRandom random(1);
  for (std::size_t i = 0; i < image.pixels.size(); ++i)
    image.pixels[i] = static_cast<std::uint8_t>(random.bits(i));
  return image;
}

double triangle(int out, int in, double scale) {
  const double distance = std::abs((out + 0.5) * scale - (in + 0.5)) / std::max(scale, 1.0);
  return std::max(1 - distance, 0.0);
}

// The antialiased triangle filter as a weighted mean over the whole image, without rounding in between.
double naive(const Image& image, int height, int width, int y, int x, int c) {
  double sum = 0, weights = 0;
  for (int v = 0; v < image.height; ++v) {
    for (int u = 0; u < image.width; ++u) {
      const double weight = triangle(y, v, static_cast<double>(image.height) / height) *
                            triangle(x, u, static_cast<double>(image.width) / width);
      weights += weight;
      sum += weight * image.pixels[(v * image.width + u) * image.channels + c];
    }
  }
  return sum / weights;
}

TEST(Resize, EqualsTheNaiveFilter) {
  struct Case {
    int from_height, from_width, height, width, channels;
  };
  for (const auto& [from_height, from_width, height, width, channels] :
       {Case{23, 31, 7, 12, 3}, Case{7, 9, 20, 31, 3}, Case{16, 40, 32, 10, 1}, Case{1, 1, 3, 2, 3},
        Case{9, 5, 1, 1, 1}}) {
    const Image image = noise(from_height, from_width, channels);
    const Image resized = resize_bilinear(image, height, width);
    ASSERT_EQ(resized.pixels.size(), static_cast<std::size_t>(height * width * channels));
    std::size_t i = 0;
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        // Two roundings to 8 bits, of half a level each.
        for (int c = 0; c < channels; ++c)
          ASSERT_NEAR(resized.pixels[i++], naive(image, height, width, y, x, c), 1.01);
      }
    }
  }
}

TEST(Resize, ToTheSameSizeChangesNothing) {
  const Image image = noise(11, 13, 3);
  EXPECT_EQ(resize_bilinear(image, 11, 13).pixels, image.pixels);
  const Image square = noise(12, 12, 3);
  EXPECT_EQ(fit_square(square, 12).pixels, square.pixels);
}

TEST(Resize, FitSquareIsTheMiddleOfTheResizedImage) {
  const Image image = noise(20, 33, 3);
  const Image whole = resize_bilinear(image, 8, 13);
  const Image fitted = fit_square(image, 8);
  ASSERT_EQ(fitted.height, 8);
  ASSERT_EQ(fitted.width, 8);
  for (std::size_t y = 0; y < 8; ++y) {
    for (std::size_t i = 0; i < 24; ++i) {
      ASSERT_EQ(fitted.pixels[y * 24 + i], whole.pixels[y * 39 + 2 * 3 + i]);  // (13 - 8) / 2 = 2.5, to even
    }
  }
}

}  // namespace
}  // namespace concertina::data
