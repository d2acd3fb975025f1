#pragma once

#include <optional>

#include "base/thread_pool.h"
#include "cascade/front.h"

namespace concertina::cascade {

/// What a cascade is to reach on images that it was not chosen on.
struct CascadeGoal {
  int reference = 0;  ///< the sub-net to compare with
  /// The most accurate cascade of at most this mean time in ms; without it, the fastest that is accurate
  /// enough.
  std::optional<double> ms = {};
  /// Accurate enough: this accuracy, 0 .. 1; without it, the reference's less `tolerance`.
  std::optional<double> accuracy = {};
  double tolerance = 0;
  /// Standard errors by which it is to be reached: 0 = as likely as not, 1.64 = in 95 % of cases.
  double spare_errors = 0;
};

/// A cascade and how it was found.
struct CascadeChoice {
  Cascade cascade;    ///< without the model's fingerprint and precision
  double margin = 0;  ///< accuracy beyond the goal that was asked for on the images that it was chosen on
  std::vector<int> stopped;  ///< images that stop at each stage
};

/// Chooses a cascade. On the images that a cascade is chosen on it does better than on others, the more
/// cascades there are to choose from; so the images are split in `folds` parts, each of which judges cascades
/// that were chosen on the others. The least margin is taken with which these reach the goal, and the answer
/// is the cascade that has this margin on all images; the promise is what the parts saw.
///
/// Fails if no cascade reaches the goal, and if the reference has no column. Preconditions: 2 <= folds <=
/// images; every sub-net of the model has a column.
Result<CascadeChoice> choose_cascade(const LabelledLogits& data, const CascadeGoal& goal,
                                     const FrontOptions& options, int folds, ThreadPool& threads);

}  // namespace concertina::cascade
