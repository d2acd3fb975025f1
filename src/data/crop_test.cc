#include "data/crop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "testing/image_files.h"

namespace concertina::data {
namespace {

TEST(RandomBox, StaysInTheImageAndItsBounds) {
  const int height = 375, width = 500;
  double smallest = 1, largest = 0, narrowest = 2, widest = 0;
  int to_the_left = 0;
  for (std::uint64_t i = 0; i < 4000; ++i) {
    const Box box = random_box(height, width, CounterRandom(1, i));
    ASSERT_GE(box.top, 0);
    ASSERT_GE(box.left, 0);
    ASSERT_LE(box.top + box.height, height);
    ASSERT_LE(box.left + box.width, width);
    const double share = static_cast<double>(box.height) * box.width / (height * width);
    const double ratio = static_cast<double>(box.width) / box.height;
    smallest = std::min(smallest, share);
    largest = std::max(largest, share);
    narrowest = std::min(narrowest, ratio);
    widest = std::max(widest, ratio);
    to_the_left += 2 * box.left <= width - box.width ? 1 : 0;
  }
  // Sides are whole pixels, so the bounds hold to within one of them.
  EXPECT_NEAR(smallest, 0.08, 0.005);
  EXPECT_GT(largest, 0.95);
  EXPECT_LE(largest, 1);
  EXPECT_NEAR(narrowest, 3.0 / 4, 0.02);
  EXPECT_NEAR(widest, 4.0 / 3, 0.02);
  EXPECT_NEAR(to_the_left, 2000, 200);
}

// Of a square, an area s of ratio r fits if s <= min(r, 1 / r). Given that, s is uniform up to 3/4 and thins
// out as -log(s) / log(4/3) above: by integration its mean is 0.478, and 29.2 % lie below 0.31.
TEST(RandomBox, DrawsTheAreaUniformlyAmongThoseThatFit) {
  double sum = 0;
  int below = 0;
  for (std::uint64_t i = 0; i < 4000; ++i) {
    const Box box = random_box(1000, 1000, CounterRandom(2, i));
    const double share = static_cast<double>(box.height) * box.width / 1e6;
    sum += share;
    below += share < 0.31 ? 1 : 0;
  }
  EXPECT_NEAR(sum / 4000, 0.478, 0.015);
  EXPECT_NEAR(below, 0.292 * 4000, 120);
}

TEST(RandomBox, IsAFunctionOfItsNumbers) {
  EXPECT_EQ(random_box(100, 80, CounterRandom(5, 3)), random_box(100, 80, CounterRandom(5, 3)));
  EXPECT_NE(random_box(100, 80, CounterRandom(5, 3)), random_box(100, 80, CounterRandom(5, 4)));
}

TEST(RandomBox, FallsBackToTheMiddle) {
  // Ten tries cannot fit: an allowed ratio of 8 % of the area is higher than 10 pixels.
  EXPECT_EQ(random_box(10, 4000, CounterRandom(1)), (Box{0, (4000 - 13) / 2, 10, 13}));
  EXPECT_EQ(random_box(4000, 10, CounterRandom(1)), (Box{(4000 - 13) / 2, 0, 13, 10}));
  EXPECT_EQ(random_box(1, 1, CounterRandom(1)), (Box{0, 0, 1, 1}));
}

TEST(Crop, TakesThePixelsOfTheBox) {
  const Image image = testing::smooth_image(9, 7, 3);
  const Image part = crop(image, {2, 3, 4, 2});
  ASSERT_EQ(part.pixels.size(), 4u * 2 * 3);
  for (int y = 0; y < 4; ++y) {
    for (int x = 0; x < 2; ++x) {
      for (int c = 0; c < 3; ++c) {
        EXPECT_EQ(part.pixels[(y * 2 + x) * 3 + c], image.pixels[((y + 2) * 7 + x + 3) * 3 + c]);
      }
    }
  }
  EXPECT_EQ(crop(image, {0, 0, 9, 7}).pixels, image.pixels);
}

TEST(Mirror, ExchangesLeftAndRight) {
  const Image image{2, 3, 2, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}};
  EXPECT_EQ(mirror(image).pixels, (std::vector<std::uint8_t>{5, 6, 3, 4, 1, 2, 11, 12, 9, 10, 7, 8}));
}

// Resize(256) gives int(256 * long / short) pixels, and CenterCrop(224) begins at int(round((h - 224)
// / 2.0)).
TEST(FitCentre, IsResizeAndThenTheMiddle) {
  for (const auto& [height, width] : {std::pair{375, 500}, {500, 333}, {64, 300}, {256, 256}}) {
    const Image image = testing::smooth_image(height, width, 3);
    const int shorter = std::min(height, width);
    const int new_height = static_cast<int>(256.0 * height / shorter);
    const int new_width = static_cast<int>(256.0 * width / shorter);
    const Box middle{static_cast<int>(std::nearbyint((new_height - 224) / 2.0)),
                     static_cast<int>(std::nearbyint((new_width - 224) / 2.0)), 224, 224};
    EXPECT_EQ(fit_centre(image, 256, 224).pixels,
              crop(resize_bilinear(image, new_height, new_width), middle).pixels)
        << height << " x " << width;
  }
}

}  // namespace

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

TEST(Nearest, TakesThePixelUnderTheMiddleOfEach) {
  const Image map{2, 4, 1, {0, 1, 2, 3, 4, 5, 6, 7}};
  EXPECT_THAT(resize_nearest(map, 1, 2).pixels, ::testing::ElementsAre(5, 7));
  EXPECT_THAT(resize_nearest(map, 2, 8).pixels,
              ::testing::ElementsAre(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7));
  EXPECT_THAT(fit_centre_nearest(map, 2, 2).pixels, ::testing::ElementsAre(1, 2, 5, 6));
  EXPECT_EQ(resize_nearest(map, 2, 4).pixels, map.pixels);
}

// A map's edges stay where the image's are.
TEST(Nearest, MovesWithTheImage) {
  Image image{40, 60, 1, {}}, map = image;
  for (int y = 0; y < 40; ++y) {
    for (int x = 0; x < 60; ++x) {
      const bool inside = x > 20 && x < 44 && y > 10;
      image.pixels.push_back(inside ? 255 : 0);
      map.pixels.push_back(inside ? 1 : 0);
    }
  }
  const Image scaled = fit_centre(image, 24, 20), classes = fit_centre_nearest(map, 24, 20);
  int odd = 0;
  for (std::size_t i = 0; i < classes.pixels.size(); ++i)
    odd += (scaled.pixels[i] > 127) == (classes.pixels[i] == 1) ? 0 : 1;
  EXPECT_LE(odd, 20) << "of 400, along the edges";
}

}  // namespace

}  // namespace concertina::data
