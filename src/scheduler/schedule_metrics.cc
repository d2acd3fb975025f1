#include "scheduler/schedule_metrics.h"

#include <algorithm>

namespace concertina::scheduler {

ScheduleMetrics measure(const ScheduleLog& log, std::span<const ModelCost> models) {
  ScheduleMetrics sum;
  int answers = 0;
  for (const JobRecord& record : log.records) {
    const ModelCost& model = models[record.job.model];
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
          .preemptions = log.preemptions / all,
          .restarts = log.restarts / all,
          .decision_us = 1e3 * to_ms(log.deciding) / std::max(1, log.steps)};
}

}  // namespace concertina::scheduler
