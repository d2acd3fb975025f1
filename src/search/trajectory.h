#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "search/evaluator.h"

namespace concertina::search {

/// One committed step of a search. It holds all that the next step depends on besides the weights, so a
/// search can go on from any step.
struct TrajectoryStep {
  int step = 0;  ///< 0 is the full network; each further step has one channel group less
  Subnet subnet = {};
  Evaluation evaluation = {};  ///< of the committed sub-net, after fine-tuning if there was any
  double cost = 0;             ///< as the search counts it: MACs, if it is told nothing else
  std::int64_t macs = 0;
  std::int64_t parameters = 0;
  int weights_version = 0;                            ///< the weights that `evaluation` belongs to
  std::optional<Evaluation> before_fine_tuning = {};  ///< set if the step fine-tuned
  int evaluations = 0;                                ///< sub-nets evaluated to choose this step
  Spending spent = {};                                ///< to choose and fine-tune it
  std::vector<std::optional<double>> scores = {};  ///< last known of each dimension, smallest first to shrink

  bool fine_tuned() const { return before_fine_tuning.has_value(); }
  friend bool operator==(const TrajectoryStep&, const TrajectoryStep&) = default;
};

/// The step as one line of JSON, without '\n'. Numbers keep every bit.
std::string to_json(const TrajectoryStep& step);

/// Reads what to_json() wrote; the bytes are not trusted. Fails with what is wrong and no more: the caller
/// knows the file.
Result<TrajectoryStep> parse_trajectory_step(std::string_view line);

}  // namespace concertina::search
