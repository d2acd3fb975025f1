#pragma once

#include "latency/json_fields.h"
#include "latency/latency_table.h"

namespace concertina::latency {

/// The parts of a table's JSON object, each into its place. What is left out stays as it is.
Status read_subnets(const Json& root, LatencyTable& table);
Status read_layers(const Json& root, LatencyTable& table);
Status read_prediction(const Json& root, LatencyTable& table);

}  // namespace concertina::latency
