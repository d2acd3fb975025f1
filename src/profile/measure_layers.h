#pragma once

#include "base/clock.h"
#include "base/progress.h"
#include "graph/network.h"
#include "latency/latency_table.h"
#include "runtime/model_impl.h"

namespace concertina::profile {

struct LayerOptions {
  ModelOptions loading = {};
  latency::Roofline machine;  ///< for the prior, and for how many widths there is time
  int batch = 1;
  int threads = 1;
  double seconds = 25;
  int least_rounds = 3;  ///< of all sub-nets, even if the time is up
};

/// Times the network's layers at widths of all kinds and puts them, scaled so that their sums are the times
/// of whole runs, into the table, with what their sums then say of random sub-nets that had no part in it.
/// The slower the network is, the fewer widths. Fails if the network cannot be run or memory is short.
Status measure_layers(Network network, const LayerOptions& options, const Clock& clock, Progress& progress,
                      latency::LatencyTable& table);

}  // namespace concertina::profile
