#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace concertina::cascade {

/// What is taken for the confidence of an answer, from the probabilities p of the classes; each is 0 .. 1.
/// Stored by name.
enum class ConfidenceMeasure {
  probability,  ///< the largest p
  margin,       ///< the largest p less the second largest
  entropy,      ///< 1 + sum(p ln p) / ln(classes)
};

inline constexpr std::array<std::string_view, 3> kConfidenceMeasures = {"probability", "margin", "entropy"};

constexpr std::string_view name_of(ConfidenceMeasure measure) {
  return kConfidenceMeasures[static_cast<std::size_t>(measure)];
}

/// A class, and how sure it is.
struct Judgement {
  int label = 0;
  double confidence = 0;
};

/// Makes the logarithms of probabilities, in place: scores as judge() takes them. Those of 0 stay finite.
void to_scores(std::span<float> probabilities);

/// The class with the largest score, the first of several, and the confidence in it where softmax(scores) are
/// the probabilities. Does not allocate. Precondition: at least two scores, all finite.
Judgement judge(std::span<const float> scores, ConfidenceMeasure measure);

}  // namespace concertina::cascade
