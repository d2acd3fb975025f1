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

struct RefineOptions {
  int floor_groups = 1;
  CostFunction cost = {};               ///< MACs if empty
  std::vector<Subnet> trajectory = {};  ///< other candidates: the sub-nets that a search has passed
};

/// Re-selection after joint training, by evaluation alone: each sub-net of the chain but
/// the first may give way to a neighbour with one group more or less in one dimension, or to one of the
/// trajectory, that is nested between the sub-nets before and after it. The best is taken by accuracy, a
/// change of cost being charged at the slope of accuracy over log cost between those two; the last one does
/// not grow. The result is a chain of as many sub-nets, all different. `groups` cuts `graph`.
Result<std::vector<SelectedSubnet>> refine_chain(const Graph& graph, const ChannelGroups& groups,
                                                 std::span<const Subnet> chain, Evaluator& evaluator,
                                                 const RefineOptions& options, Progress& progress);

}  // namespace concertina::search
