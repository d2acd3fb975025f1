#pragma once

#include <string_view>

#include "latency/latency_table.h"

namespace concertina::control {

/// The machine that this process runs on, as a latency table names it.
MeasuredMachine this_machine();

/// What so many threads do at most here, measured: takes a good part of a second.
Roofline this_roofline(int threads);

/// Fails unless `machine`, which `what` was made on ("the latency table was measured"), has this one's
/// processor and instruction set. The sentence ends with `remedy` ("run concertina profile").
Status check_this_machine(const MeasuredMachine& machine, std::string_view what, std::string_view remedy);

}  // namespace concertina::control
