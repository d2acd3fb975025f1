#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cascade/calibration.h"
#include "cascade/confidence.h"
#include "cascade/labelled_logits.h"

namespace concertina::cascade {

/// What the last stage of a chain of looks says about a set of images, were all of them to reach it.
struct ChainStage {
  Blend blend;
  std::vector<float> scores;          ///< [images][classes]
  std::vector<double> confidence;     ///< [images]
  std::vector<std::uint8_t> correct;  ///< [images], 0 or 1
};

/// The stage of a column of `data` after the one whose scores are `previous` (empty: the first), blended as
/// `blend` says.
ChainStage run_stage(const LabelledLogits& data, const LabelledLogits::Column& column,
                     std::span<const float> previous, const Blend& blend, ConfidenceMeasure measure);

}  // namespace concertina::cascade
