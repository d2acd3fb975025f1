#pragma once

#include <vector>

#include "base/progress.h"
#include "search/search_options.h"

namespace concertina::search {

/// Progressive search (arXiv:2009.05681): starts from the full network and removes one channel group per
/// step, tried in each dimension, or makes another of the moves that options.axes allow (moves.h), until the
/// end of `options` or nothing can shrink. The result, largest first, is a chain: each sub-net contains the
/// next. Equal scores go to the first dimension. Each step is in the journal before the next one starts; a
/// journal with steps is continued from its last one to the same result, so a finished search returns at
/// once. In the end the evaluator's weights are those of the last step. `groups` cuts `graph`.
Result<std::vector<TrajectoryStep>> progressive_search(const Graph& graph, const ChannelGroups& groups,
                                                       Evaluator& evaluator, const SearchOptions& options,
                                                       Journal& journal, Progress& progress);

}  // namespace concertina::search
