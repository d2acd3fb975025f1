#pragma once

#include <pthread.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "concertina/result.h"

namespace concertina {

// Where memory runs out, each of these throws std::bad_alloc.

/// The processor's name as the system gives it, or "unknown CPU".
std::string cpu_name();

/// Processors' worth of time that the control groups (of version 2 or 1) grant this process: 1.5 are 150 ms
/// in 100 ms. None: there is no limit. Here and below proc/ and sys/ are sought in `root`.
std::optional<double> cpu_quota(const std::filesystem::path& root = "/");

/// Processors that the calling thread may use at once: of its affinity, and no more than the quota, rounded
/// up. At least 1.
int usable_cores(const std::filesystem::path& root = "/");

/// Who sets the processors' frequency: "performance", "schedutil", or several, "performance, powersave".
/// Empty where that is not visible.
std::string frequency_governor(const std::filesystem::path& root = "/");

/// The processors that the calling thread may run on, ascending; empty if the system does not tell.
std::vector<int> allowed_processors();

/// Keeps a thread, and those that it starts from then on, on these. Fails, with the system's reason, if it
/// refuses. Precondition: each is 0 .. CPU_SETSIZE - 1.
Status pin_thread(pthread_t thread, const std::vector<int>& processors);

}  // namespace concertina
