#include "slo/candidates.h"

#include <fmt/format.h>

#include <algorithm>

#include "slo/response_time.h"

namespace concertina::slo {
namespace {

double memory_of(const SubnetInfo& info, int batch, int threads) {
  return static_cast<double>(info.own_bytes) + static_cast<double>(info.scratch_bytes) * batch +
         static_cast<double>(info.workspace_bytes) * threads;
}

}  // namespace

Result<std::vector<Candidate>> make_candidates(std::span<const SubnetInfo> subnets,
                                               const latency::LatencyTable& table) {
  constexpr std::size_t kMost = 4096;
  if (table.subnets.empty())
    return Error{"the latency table has no sub-nets; make one with concertina profile"};
  if (table.subnets.size() > kMost)
    return Error{fmt::format("the latency table has more than the {} measurements that are searched", kMost)};
  std::vector<Candidate> candidates;
  for (const latency::SubnetLatency& measured : table.subnets) {
    if (table.machine.cores > 0 && measured.threads > table.machine.cores) continue;
    const auto info = std::find_if(subnets.begin(), subnets.end(),
                                   [&](const SubnetInfo& one) { return one.subnet == measured.subnet; });
    if (info == subnets.end()) {
      return Error{fmt::format(
          "the latency table has the sub-net {}, which the model has not; it was measured on another model",
          to_string(measured.subnet))};
    }
    candidates.push_back({.design = {.subnet = static_cast<int>(info - subnets.begin()),
                                     .threads = measured.threads,
                                     .batch = measured.batch},
                          .accuracy = info->validation_accuracy,
                          .macs = static_cast<double>(info->macs),
                          .memory = memory_of(*info, measured.batch, measured.threads),
                          .times = measured.times});
  }
  if (candidates.empty()) {
    return Error{fmt::format(
        "the latency table has times with more threads than its machine's {} core{} only; run concertina profile "
        "with --threads 1",
        table.machine.cores, table.machine.cores == 1 ? "" : "s")};
  }
  return candidates;
}

double predict(const Candidate& candidate, const AnticipatedState& state, const Quantity& quantity) {
  const auto response = [&] {
    return ResponseTime(candidate.times, state.slow_down, candidate.design.batch, state.arrivals);
  };
  switch (quantity.metric) {
    case Metric::latency:
      return response().quantile(quantity.quantile);
    case Metric::accuracy:
      return candidate.accuracy;
    case Metric::throughput:
      return 1e3 * candidate.design.batch / response().mean_run_ms();
    case Metric::memory:
      return candidate.memory;
    case Metric::threads:
      return candidate.design.threads;
    case Metric::batch:
      return candidate.design.batch;
    case Metric::utilisation:
      return response().utilisation();
    case Metric::macs:
      return candidate.macs;
  }
  return 0;
}

}  // namespace concertina::slo
