#pragma once

#include "concertina/result.h"
#include "runtime/fusion.h"
#include "runtime/program.h"

namespace concertina::runtime {

/// Turns nodes into operations, fused where one kernel does the work of several. Fails if the graph has an
/// opaque node or a map of 2^31 pixels or more.
Result<Program> lower(const Graph& graph, Fusion fusion = Fusion::all);

}  // namespace concertina::runtime
