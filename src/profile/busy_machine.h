#pragma once

#include <span>
#include <string>

#include "base/clock.h"
#include "latency/latency_table.h"

/// Whether a machine is quiet enough to measure on. Other programs on the same processors, and the host of a
/// virtual machine, interrupt runs; the times are then the scheduler's and not the model's.
namespace concertina::profile {

/// A machine that takes more than this share of the time away is too busy to measure on.
inline constexpr double kMostTaken = 0.02;

/// Times whose tail is above this are of a busy machine. The quiet one of docs/results/soak-resnet20 has 1.17
/// to 1.64.
inline constexpr double kLongestTail = 2;

/// The share of `duration` in which somebody else had the processor of the calling thread, which does nothing
/// but look at the clock: 0 .. 1.
double taken_share(const Clock& clock, Time duration);

/// The same for so many threads at once: that of the thread that lost most. Precondition: threads >= 1.
double taken_share(int threads, Time duration);

/// How far the slowest runs of sub-nets lie from usual ones: the median, over the sub-nets, of the time that
/// 99 % of the runs do not exceed over the median. Precondition: not empty.
double tail(std::span<const latency::TimeQuantiles> subnets);

/// What is wrong with a table that was measured on a busy machine, in one sentence that names the case, a
/// batch on a number of threads, with the longest tail; empty if none is above kLongestTail.
std::string describe_busy(const latency::LatencyTable& table);

}  // namespace concertina::profile
