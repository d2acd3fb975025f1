#pragma once

#include <string>

#include "latency/latency_table.h"

namespace concertina::apps {

/// A latency table for people: the machine, each sub-net in each case, and how well times of other widths are
/// predicted.
std::string report_of(const latency::LatencyTable& table);

}  // namespace concertina::apps
