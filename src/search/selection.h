#pragma once

#include <span>
#include <vector>

#include "base/progress.h"
#include "search/search_options.h"

namespace concertina::search {

/// A sub-net as the choice among sub-nets sees it.
struct SelectionPoint {
  double cost = 0;  ///< positive
  double accuracy = 0;
};

/// Indices, ascending, of the points that no other one dominates: is at most as costly and at least as
/// accurate. Of equal points the last one counts.
std::vector<int> pareto_front(std::span<const SelectionPoint> points);

/// Indices, ascending, of `count` of the points, evenly spaced in log cost: the first, the last, and between
/// them those with the smallest sum of squared distances to the wanted log costs. A point that another one
/// dominates counts as half a spacing farther away, so a good sub-net near by is preferred to a bad one on
/// the spot, but no size is left out because the search did badly there. All points if there are no more.
/// Preconditions: the points are a chain, largest sub-net first; count >= 2.
std::vector<int> thin(std::span<const SelectionPoint> chain, int count);

/// The paper's rule: the indices of the steps that stay when each step i with
/// acc(i) < acc(i+1) < acc(i) + 0.10 goes, unless step i+1 was fine-tuned. The first step, the full network,
/// always stays.
std::vector<int> drop_dominated(std::span<const TrajectoryStep> trajectory);

/// A sub-net that joint training gets, evaluated with the final weights.
struct SelectedSubnet {
  int step = 0;  ///< of the trajectory
  Subnet subnet;
  Evaluation evaluation;
  double cost = 0;
};

/// Re-selection (arXiv:2009.05681): evaluates every recorded sub-net with the evaluator's present weights
/// and thins them by their new accuracies, over the costs that the trajectory has. The result has `count`
/// sub-nets, or all if there are fewer, largest first: the trajectory's first and last always, each
/// containing the next. Fails if count < 2.
Result<std::vector<SelectedSubnet>> reselect(std::span<const TrajectoryStep> trajectory, Evaluator& evaluator,
                                             int count, Progress& progress);

}  // namespace concertina::search
