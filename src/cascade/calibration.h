#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace concertina::cascade {

/// How a stage's scores come of its logits and of the scores of the stage before:
/// scores = own * logits + before * previous scores. softmax(scores) are the probabilities of the classes.
///
/// With before = 0 this is temperature scaling (Guo et al., "On Calibration of Modern Neural Networks", 2017)
/// with the temperature 1 / own; else the stages that have run are an ensemble, weighted by what each knows.
struct Blend {
  double own = 1;
  double before = 0;

  friend bool operator==(const Blend&, const Blend&) = default;
};

/// scores[i] = blend.own * logits[i] + blend.before * scores[i]. Precondition: equally long.
void blend_into(const Blend& blend, std::span<const float> logits, std::span<float> scores);

/// The blend under which the labels are most likely (a convex problem of two unknowns; Newton's method).
/// `logits` and `previous` are [images][classes]; without `previous` (empty) only the temperature is fitted.
/// `images` are the rows to fit on. Precondition: at least one row, two classes, all values finite.
Blend fit_blend(std::span<const float> logits, std::span<const float> previous,
                std::span<const std::int32_t> labels, std::span<const int> images);

/// Expected calibration error, 0 .. 1: the mean distance between confidence and accuracy over `bins` equal
/// ranges of confidence, weighted by their images (Naeini et al., 2015). Precondition: equally long, not
/// empty.
double expected_calibration_error(std::span<const double> confidences, std::span<const std::uint8_t> correct,
                                  int bins = 15);

}  // namespace concertina::cascade
