#pragma once

#include <span>

namespace concertina::quantization {

/// The Kullback-Leibler divergence of two distributions over classes: what the second one, in fewer bits,
/// loses of the first. `probabilities`: the values are that; otherwise a softmax makes them so. Never
/// negative. Precondition: as many of both, at least one.
double divergence(std::span<const float> exact, std::span<const float> rounded, bool probabilities);

/// For outputs that are no classes: the mean square of the differences by that of the exact values; 0 if
/// there are no differences. Precondition: as many of both, at least one.
double relative_square(std::span<const float> exact, std::span<const float> rounded);

}  // namespace concertina::quantization
