#pragma once

#include <functional>

#include "concertina/result.h"
#include "train/distributed/place.h"

namespace concertina::apps {

/// Runs `work` in `count` new processes of this machine, which meet at a temporary file, and waits until
/// all have ended. If one fails or is killed, the others are ended, and the result is why. Ctrl-C, a polite
/// kill and the death of this process end them, too. Precondition: this process has no threads yet.
Status run_local_processes(int count, const std::function<Status(const train::Place& place)>& work);

}  // namespace concertina::apps
