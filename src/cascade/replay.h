#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cascade/cascade.h"
#include "cascade/labelled_logits.h"

namespace concertina::cascade {

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

}  // namespace concertina::cascade
