#pragma once

#include "latency/latency_table.h"

namespace concertina::control {

/// The machine that this process runs on, as a latency table names it.
MeasuredMachine this_machine();

/// What so many threads do at most here, measured: takes a good part of a second.
Roofline this_roofline(int threads);

}  // namespace concertina::control
