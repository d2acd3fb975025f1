#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cascade/calibration.h"
#include "cascade/cascade.h"
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

/// What a cascade does with images of which all looks are known.
struct Replay {
  std::vector<std::uint8_t> correct;  ///< of each row, 0 or 1
  std::vector<int> stopped;           ///< images that stop at each stage
  double ms = 0;                      ///< mean time of an image
};

/// Precondition: at least one row; the stages' looks are columns of `data`.
Replay replay(const LabelledLogits& data, std::span<const int> rows, std::span<const CascadeStage> stages,
              ConfidenceMeasure measure);

/// The column of a look; null if there is none.
const LabelledLogits::Column* find_column(const LabelledLogits& data, const Look& look);

/// How well confidence tells right answers from wrong ones: the probability that a right one has more of it
/// (the area under the receiver operating characteristic, ties counted half). 0.5 tells nothing, 1 all; 0.5
/// if there are no right or no wrong ones. Precondition: equally long.
double separation(std::span<const double> confidences, std::span<const std::uint8_t> correct);

}  // namespace concertina::cascade
