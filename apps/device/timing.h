#pragma once

#include <vector>

#include "base/progress.h"
#include "concertina/session.h"

namespace concertina::apps {

/// How much is timed.
struct Timing {
  int batch = 1;
  int warm_up = 20;    ///< uncounted runs before
  int runs = 200;      ///< timed ones
  double seconds = 0;  ///< if above 0: as many runs as begin in that time, at least one, and not `runs`
};

/// Looks for a third of a second how busy the machine is with other things than so many threads of ours, and
/// warns before measuring takes minutes. Precondition: there are as many cores.
void warn_if_busy(int threads, Progress& progress);

/// The uncounted runs. What follows does them itself.
Status warm_up(Session& session, int subnet, const Timing& timing);

/// Milliseconds of each run on control::some_inputs().
Result<std::vector<double>> time_runs(Session& session, int subnet, const Timing& timing);

/// Milliseconds of `subnet`'s first run after one of `other`, `timing.runs` times.
Result<std::vector<double>> time_switches(Session& session, int subnet, int other, const Timing& timing);

}  // namespace concertina::apps
