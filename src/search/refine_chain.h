#pragma once

#include <span>
#include <vector>

#include "search/selection.h"

namespace concertina::search {

struct RefineOptions {
  int floor_groups = 1;
  CostFunction cost = {};               ///< MACs if empty
  std::vector<Subnet> trajectory = {};  ///< other candidates: the sub-nets that a search has passed
};

/// Re-selection after joint training, by evaluation alone: each sub-net of the chain but the first may give
/// way to a neighbour with one group more or less in one dimension, or to one of the trajectory, that is
/// nested between the sub-nets before and after it. The best is taken by accuracy, a change of cost being
/// charged at the slope of accuracy over log cost between those two; the last one does not grow. The result
/// is a chain of as many sub-nets, all different. `groups` cuts `graph`.
Result<std::vector<SelectedSubnet>> refine_chain(const Graph& graph, const ChannelGroups& groups,
                                                 std::span<const Subnet> chain, Evaluator& evaluator,
                                                 const RefineOptions& options, Progress& progress);

}  // namespace concertina::search
