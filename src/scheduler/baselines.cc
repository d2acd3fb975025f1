#include "scheduler/baselines.h"

#include <algorithm>
#include <utility>

namespace concertina::scheduler {

EarliestDeadline::EarliestDeadline(std::vector<ModelCost> models)
    : models_(std::move(models)), monitor_(models_) {}

Action EarliestDeadline::choose(const Situation& situation) {
  const std::span<const Job> queue = situation.queue;
  for (std::size_t i = 0; i < queue.size(); ++i) {
    if (queue[i].id <= judged_) continue;
    judged_ = queue[i].id;
    if (!fits(situation, i)) return {.kind = Action::Kind::shed, .job = static_cast<int>(i)};
  }
  return run_on(queue, least_runnable(queue, [](const Job& job) { return job.deadline; }));
}

/// Those before it in the queue have been admitted. Who is late without the newcomer does not speak against
/// it.
bool EarliestDeadline::fits(const Situation& situation, std::size_t newcomer) {
  order_.clear();
  for (std::size_t i = 0; i <= newcomer; ++i) order_.push_back(&situation.queue[i]);
  std::sort(order_.begin(), order_.end(), [](const Job* a, const Job* b) {
    return std::pair(a->deadline, a->id) < std::pair(b->deadline, b->id);
  });
  const Job* const added = &situation.queue[newcomer];
  Time end = situation.now, share{0};
  for (const Job* job : order_) {
    const SizeCost& full = models_[job->model].sizes.front();
    const Time took = monitor_.corrected(job->model, full.left[job->done]);
    end += took;
    if (job == added) share = took;
    const bool late = end > job->deadline, late_anyway = job != added && end - share > job->deadline;
    if (share > Time(0) && late && !late_anyway) return false;
  }
  return true;
}

ShortestRemaining::ShortestRemaining(std::vector<ModelCost> models)
    : models_(std::move(models)), monitor_(models_) {}

Action ShortestRemaining::choose(const Situation& situation) {
  return run_on(situation.queue, least_runnable(situation.queue, [&](const Job& job) {
                  const SizeCost& full = models_[job.model].sizes.front();
                  return monitor_.corrected(job.model, full.left[job.done]);
                }));
}

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
