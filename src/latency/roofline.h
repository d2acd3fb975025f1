#pragma once

#include "graph/graph.h"
#include "latency/prediction.h"

namespace concertina::latency {

/// Milliseconds of a run by the roofline model: over the convolutions and linear layers, the longer of
/// computing and of moving their inputs, outputs and weights, each once. What lies between them counts
/// nothing.
double roofline_ms(const Roofline& machine, const Graph& graph, const Subnet& subnet, int batch);

}  // namespace concertina::latency
