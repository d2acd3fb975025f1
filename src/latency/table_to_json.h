#pragma once

#include <nlohmann/json.hpp>

#include "latency/prediction.h"

namespace concertina::latency {

using OrderedJson = nlohmann::ordered_json;

/// As a table's JSON has it.
OrderedJson to_json(const PredictionQuality& prediction);

}  // namespace concertina::latency
