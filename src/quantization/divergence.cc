#include "quantization/divergence.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace concertina::quantization {
namespace {

std::vector<double> log_probabilities(std::span<const float> values, bool probabilities) {
  std::vector<double> logarithms;
  if (probabilities) {
    for (const float value : values)
      logarithms.push_back(std::log(std::max(value, std::numeric_limits<float>::min())));
    return logarithms;
  }
  const double most = *std::max_element(values.begin(), values.end());
  double sum = 0;
  for (const float value : values) sum += std::exp(value - most);
  for (const float value : values) logarithms.push_back(value - most - std::log(sum));
  return logarithms;
}

}  // namespace

double divergence(std::span<const float> exact, std::span<const float> rounded, bool probabilities) {
  const std::vector<double> wanted = log_probabilities(exact, probabilities);
  const std::vector<double> got = log_probabilities(rounded, probabilities);
  double sum = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) sum += std::exp(wanted[i]) * (wanted[i] - got[i]);
  return std::max(sum, 0.0);
}

double relative_square(std::span<const float> exact, std::span<const float> rounded) {
  double errors = 0, squares = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    const double error = double{exact[i]} - double{rounded[i]};
    errors += error * error;
    squares += double{exact[i]} * double{exact[i]};
  }
  return errors == 0 ? 0 : errors / std::max(squares, std::numeric_limits<double>::min());
}

}  // namespace concertina::quantization
