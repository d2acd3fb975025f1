#pragma once

#include "search/progressive_search.h"
#include "train/run.h"

namespace concertina::train {

/// The options of the recipe's search.
SearchOptions search_options(const Run& run, const ChannelGroups& groups);

/// Groups that every dimension keeps in the uniform sub-net at which a search ends.
int groups_at_end(const Recipe::Search& recipe);

/// The journal of the recipe's search.
Result<Journal> open_journal(const Run& run, const ChannelGroups& groups);

}  // namespace concertina::train
