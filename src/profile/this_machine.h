#pragma once

#include <string_view>

#include "latency/latency_table.h"

namespace concertina::profile {

/// The machine that this process runs on, as a latency table names it.
latency::MeasuredMachine this_machine();

/// What so many threads do at most here, measured: takes a good part of a second.
latency::Roofline this_roofline(int threads);

/// Fails unless `machine`, which `what` was made on ("the latency table was measured"), has this one's
/// processor and instruction set. The sentence ends with `remedy` ("run concertina profile").
Status check_this_machine(const latency::MeasuredMachine& machine, std::string_view what,
                          std::string_view remedy);

}  // namespace concertina::profile
