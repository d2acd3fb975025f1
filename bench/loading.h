#pragma once

#include <filesystem>

#include "report.h"
#include "subjects.h"

namespace concertina::bench {

/// Loads all sub-nets with either side, in processes of their own, from files that it writes to `folder`.
/// `library`: libonnxruntime.so. Precondition: this process has a single thread.
Result<Loading> measure_loading(const Subject& subject, const std::filesystem::path& folder,
                                const std::filesystem::path& library);

}  // namespace concertina::bench
