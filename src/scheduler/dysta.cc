#include "scheduler/dysta.h"

namespace concertina::scheduler {

Dysta::Dysta(std::vector<ModelCost> models, double eta)
    : models_(std::move(models)), monitor_(models_), eta_(eta) {}

Action Dysta::choose(const Situation& situation) {
  const auto jobs = static_cast<double>(situation.queue.size());
  return run_on(situation.queue, least_runnable(situation.queue, [&](const Job& job) {
                  const SizeCost& full = models_[job.model].sizes.front();
                  const Time left = full.left[job.done];
                  const double remaining = to_ms(monitor_.corrected(job.model, left));
                  const double isolated = to_ms(monitor_.corrected(job.model, full.total()));
                  const double slack = to_ms(job.deadline - situation.now) - remaining;
                  const double waited = to_ms(situation.now - job.arrival) - isolated + remaining;
                  return remaining + eta_ * (slack + waited / isolated / jobs);
                }));
}

}  // namespace concertina::scheduler
