#pragma once

#include <optional>
#include <vector>

#include "base/progress.h"
#include "cascade/cascade.h"
#include "concertina/session.h"
#include "control/policy.h"
#include "data/image_set.h"

namespace concertina::apps {

/// How a cascade is compared with the sub-net that it promises to replace.
struct CascadeMeasureOptions {
  int rounds = 3;  ///< over all images; of an image's times the median counts
  int block = 50;  ///< images that one of the two runs before the other takes its turn
  std::optional<double> deadline_ms = {};  ///< of every image
};

/// What each of the two did.
struct MeasuredSide {
  double accuracy = 0;
  double ms = 0;       ///< mean over images
  double in_time = 1;  ///< share of all runs, where there is a deadline
};

struct MeasuredCascade {
  int images = 0;
  MeasuredSide cascade, reference;
  double ratio = 0;                      ///< of the mean times
  double ratio_low = 0, ratio_high = 0;  ///< below and above which are 5 % of the blocks
  int only_cascade_right = 0;            ///< images
  int only_reference_right = 0;
  int other_label = 0;                ///< images that the two call differently
  std::vector<std::int64_t> stopped;  ///< runs that ended after each stage; of no stage first
  std::int64_t cut_short = 0;         ///< runs that the deadline ended
};

/// Runs both on every image, one at a time, in alternating blocks, the order of which alternates too.
/// `sizes` are what a deadline needs to know (may be empty without one).
Result<MeasuredCascade> measure_cascade(Session& session, const cascade::Cascade& cascade,
                                        std::vector<control::SubnetProfile> sizes, const data::ImageSet& set,
                                        const CascadeMeasureOptions& options, Progress& progress);

}  // namespace concertina::apps
