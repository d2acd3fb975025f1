#pragma once

#include <vector>

#include "concertina/session.h"

namespace concertina::apps {

/// How much is timed.
struct Timing {
  int batch = 1;
  int warm_up = 20;    ///< uncounted runs before
  int runs = 200;      ///< timed ones
  double seconds = 0;  ///< if above 0: as many runs as begin in that time, at least one, and not `runs`
};

/// The uncounted runs. What follows does them itself.
Status warm_up(Session& session, int subnet, const Timing& timing);

/// Milliseconds of each run on control::some_inputs().
Result<std::vector<double>> time_runs(Session& session, int subnet, const Timing& timing);

/// Milliseconds of `subnet`'s first run after one of `other`, `timing.runs` times.
Result<std::vector<double>> time_switches(Session& session, int subnet, int other, const Timing& timing);

}  // namespace concertina::apps
