#pragma once

#include <cmath>

#include "base/random.h"
#include "cascade/labelled_logits.h"
#include "control/testing.h"

/// Made-up sub-nets for the tests of cascades.
namespace concertina::testing {

/// Two columns of ten classes on `images` images: a slow one, the first, that sees the class through less
/// noise than a fast one of a quarter of its time. Half of the images are easy: both see half as
/// much noise. All are calibrated.
inline cascade::LabelledLogits slow_and_fast(int images, std::uint64_t seed) {
  constexpr int kClasses = 10;
  const CounterRandom random(seed);
  cascade::LabelledLogits data{.classes = kClasses, .labels = {}, .columns = {}};
  data.columns.push_back({.look = {.subnet = 0}, .ms = 4, .logits = {}});
  data.columns.push_back({.look = {.subnet = 1}, .ms = 1, .logits = {}});
  std::uint64_t counter = 0;
  for (int i = 0; i < images; ++i) {
    const auto label =
        static_cast<int>(random.below(kClasses, 1'000'000'000ULL + static_cast<std::uint64_t>(i)));
    data.labels.push_back(label);
    for (std::size_t column = 0; column < 2; ++column) {
      const double noise = (column == 0 ? 1.0 : 2.0) * (i % 2 == 0 ? 0.5 : 1.0);
      // The logarithm of the likelihood of what is seen, but for what is the same for all classes.
      for (int j = 0; j < kClasses; ++j) {
        const double seen = 2.5 * (j == label) + noise * normal(random, counter++);
        data.columns[column].logits.push_back(static_cast<float>(2.5 * seen / (noise * noise)));
      }
    }
  }
  return data;
}

}  // namespace concertina::testing
