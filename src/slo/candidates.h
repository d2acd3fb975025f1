#pragma once

#include <span>
#include <vector>

#include "concertina/model.h"
#include "latency/latency_table.h"
#include "slo/slo_file.h"

namespace concertina::slo {

/// How a model is run: `subnet` is the largest that may run, what AdaptiveSession::allow_from() takes. The
/// session is free to run smaller ones for requests that are in a hurry; threads and batch are its options.
struct Design {
  int subnet = 0;  ///< an index of Model::subnets()
  int threads = 1;
  int batch = 1;

  friend bool operator==(const Design&, const Design&) = default;
};

/// A design that was measured, and what is known of its largest sub-net.
struct Candidate {
  Design design;
  double accuracy = 0;           ///< 0 .. 1
  double macs = 0;               ///< of an image
  double memory = 0;             ///< bytes beside the shared weights
  latency::TimeQuantiles times;  ///< of a run, milliseconds
};

/// All sub-nets with all numbers of threads and batches that the table has, but for more threads than its
/// machine has cores. Fails if the table has a sub-net that the model has not, none at all, or more than can
/// be searched.
Result<std::vector<Candidate>> make_candidates(std::span<const SubnetInfo> subnets,
                                               const latency::LatencyTable& table);

/// What a quantity is expected to be: latency, utilisation and throughput (batch over the mean run) by
/// ResponseTime. Infinite for the latency in overload.
double predict(const Candidate& candidate, const AnticipatedState& state, const Quantity& quantity);

}  // namespace concertina::slo
