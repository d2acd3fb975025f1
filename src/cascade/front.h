#pragma once

#include <span>
#include <vector>

#include "cascade/cascade.h"

namespace concertina::cascade {

/// A cascade as it does on the images that it was chosen for.
struct FrontPoint {
  std::vector<CascadeStage> stages;
  int correct = 0;  ///< answers
  double ms = 0;    ///< mean time of an image
};

/// Among which cascades is sought.
struct FrontOptions {
  ConfidenceMeasure measure = ConfidenceMeasure::probability;
  bool blend = true;   ///< a stage's scores take up those of the stages before
  bool mirror = true;  ///< mirrored looks take part, but not at the first stage, where they are no better
  int max_stages = 3;  ///< at least 1
  /// The thresholds that are tried at a stage are this many quantiles of the confidence there; but at the
  /// last stage that has a threshold all of them are.
  int quantiles = 16;
};

/// The cascades of the least mean time for each number of correct answers on the rows `images` of `data`,
/// from the fastest to the most accurate: each takes longer and answers more correctly than the one before.
/// Every chain of at most max_stages columns, each before the last one's in `data`, takes part. Precondition:
/// at least one column and one row.
std::vector<FrontPoint> cascade_front(const LabelledLogits& data, std::span<const int> images,
                                      const FrontOptions& options);

}  // namespace concertina::cascade
