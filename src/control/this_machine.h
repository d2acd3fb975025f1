#pragma once

#include "latency/latency_table.h"

namespace concertina::control {

/// The machine that this process runs on, as a latency table names it.
MeasuredMachine this_machine();

}  // namespace concertina::control
