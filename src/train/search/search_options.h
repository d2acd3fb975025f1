#pragma once

#include "search/progressive_search.h"
#include "train/run.h"

namespace concertina::train {

/// The options of the recipe's search.
search::SearchOptions search_options(const Run& run);

/// The journal of the recipe's search; only the first process's is on the disk.
Result<search::Journal> open_journal(const Run& run);

}  // namespace concertina::train
