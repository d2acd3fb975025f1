#pragma once

#include <filesystem>

#include "base/progress.h"
#include "concertina/result.h"

namespace concertina::apps {

/// Gives the model of a run directory scales for int8, unless it has some: those that the verb quantize finds
/// without options. threads: 0 = one per processor.
Status add_scales(const std::filesystem::path& run, int threads, Progress& progress);

}  // namespace concertina::apps
