#pragma once

#include <algorithm>
#include <vector>

#include "base/random.h"
#include "quantization/histogram.h"

namespace concertina::quantization {

/// What both passes make of the values, `batch` at a time.
inline Histogram histogram_of(const std::vector<float>& values, std::size_t batch = 1000) {
  Ends ends;
  const auto in_batches = [&](auto see) {
    for (std::size_t begin = 0; begin < values.size(); begin += batch)
      see(std::span(values).subspan(begin, std::min(batch, values.size() - begin)));
  };
  in_batches([&](std::span<const float> some) { ends.add(some); });
  Histogram histogram(ends.interval());
  in_batches([&](std::span<const float> some) { histogram.add(some); });
  return histogram;
}

/// About normal: mean 0, variance 1, from -6 to 6.
inline std::vector<float> bell(std::size_t count) {
  const CounterRandom random(5);
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    double sum = -6;
    for (std::size_t j = 0; j < 12; ++j) sum += random.uniform(12 * i + j);
    values[i] = static_cast<float>(sum);
  }
  return values;
}

/// The same behind a ReLU.
inline std::vector<float> half_bell(std::size_t count) {
  std::vector<float> values = bell(count);
  for (float& value : values) value = std::max(value, 0.0F);
  return values;
}

}  // namespace concertina::quantization
