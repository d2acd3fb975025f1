#pragma once

#include <functional>
#include <span>
#include <vector>

#include "base/clock.h"
#include "control/policy.h"

namespace concertina::simulation {

/// When a run of sub-net `subnet` for request `request` ends that begins at `start`. Later than `start`;
/// does not decrease with it.
using RunEnd = std::function<Time(int request, int subnet, Time start)>;

/// The most that could have been had, had everything been known beforehand.
struct OfflineOptimum {
  double yield = 0;          ///< of the schedule below: it can be reached
  double upper_bound = 0;    ///< of any schedule's yield
  std::vector<int> subnets;  ///< by request; or Decision::kShed
};

/// One server answers requests in the order of their arrival, without preemption, each with one sub-net or
/// not at all, and gets a sub-net's accuracy for an answer by the deadline. The best choice of sub-nets, by
/// dynamic programming over the requests on the Pareto front of (time at which the server is free, sum of
/// accuracies so far). With deadlines in the order of arrivals, no other order of the runs is better (an
/// exchange of neighbours), as long as two runs in a row end at the same time in either order.
///
/// The front is kept to about `resolution` points: the time until the deadline is cut in that many slices,
/// for the bound in four times as many. Of a slice's points the schedule keeps the one of the greatest sum;
/// the bound, the earliest time together with the greatest sum. Where no slice has two points, the two are
/// equal and exact. Time is O(requests * resolution * sub-nets), memory 8 bytes * requests * resolution at
/// most.
///
/// Preconditions: as many deadlines as arrivals, both ascending or equal; resolution is positive, fewer than
/// 32 768 sub-nets.
OfflineOptimum offline_optimum(std::span<const Time> arrivals, std::span<const Time> deadlines,
                               std::span<const double> accuracies, const RunEnd& run_end,
                               int resolution = 512);

}  // namespace concertina::simulation
