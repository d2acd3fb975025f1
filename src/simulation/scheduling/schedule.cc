#include "simulation/scheduling/schedule.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/try.h"

namespace concertina::simulation {

Result<ScheduleLog> run_schedule(std::span<const scheduler::ModelCost> models,
                                 std::span<const Arrival> arrivals, scheduler::SchedulingPolicy& policy,
                                 scheduler::StepExecutor& executor) {
  scheduler::StepLoop loop(models, policy, executor);
  ScheduleLog log;
  log.records.reserve(arrivals.size());
  std::size_t next = 0;
  while (true) {
    for (; next < arrivals.size() && arrivals[next].at <= loop.now(); ++next) {
      const Arrival& arrival = arrivals[next];
      loop.add({.id = static_cast<std::int64_t>(next),
                .model = arrival.model,
                .arrival = arrival.at,
                .deadline = arrival.deadline});
    }
    if (loop.queue().empty() && next == arrivals.size()) break;
    if (loop.queue().empty()) {
      loop.wait_until(arrivals[next].at);
      continue;
    }
    ASSIGN_OR_RETURN(const std::optional<scheduler::JobRecord> left, loop.turn());
    if (left) log.records.push_back(*left);
  }
  log.counts = loop.counts();
  log.ended = loop.now();
  return log;
}

ScheduleMetrics measure(const ScheduleLog& log, std::span<const scheduler::ModelCost> models) {
  ScheduleMetrics sum;
  int answers = 0;
  for (const scheduler::JobRecord& record : log.records) {
    const scheduler::ModelCost& model = models[record.job.model];
    sum.violations += record.in_time() ? 0 : 1;
    sum.shed += record.shed ? 1 : 0;
    if (record.shed) continue;
    ++answers;
    const double accuracy = model.sizes[record.job.size].reported_accuracy;
    sum.antt += to_ms(record.left - record.job.arrival) / to_ms(model.isolated());
    sum.accuracy += accuracy;
    sum.accuracy_lost += model.sizes.front().reported_accuracy - accuracy;
    if (record.in_time()) sum.useful += accuracy;
  }
  const auto all = static_cast<double>(log.records.size()), answered = std::max(1.0, 1.0 * answers);
  return {.violations = sum.violations / all,
          .shed = sum.shed / all,
          .antt = sum.antt / answered,
          .throughput = answers / (to_ms(log.ended) / 1e3),
          .accuracy = sum.accuracy / answered,
          .accuracy_lost = sum.accuracy_lost / answered,
          .useful = sum.useful / all,
          .preemptions = static_cast<double>(log.counts.preemptions) / all,
          .restarts = static_cast<double>(log.counts.restarts) / all,
          .decision_us = 1e3 * to_ms(log.counts.deciding) /
                         static_cast<double>(std::max<std::int64_t>(1, log.counts.steps))};
}

}  // namespace concertina::simulation
