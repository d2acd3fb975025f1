#pragma once

#include <pthread.h>

#include <vector>

#include "concertina/result.h"

namespace concertina {

/// The processors that the calling thread may run on, ascending; empty if the system does not tell.
std::vector<int> allowed_processors();

/// Keeps a thread, and those that it starts from then on, on these. Fails, with the system's reason, if it
/// refuses. Precondition: each is 0 .. CPU_SETSIZE - 1.
Status pin_thread(pthread_t thread, const std::vector<int>& processors);

}  // namespace concertina
