#include "simulation/scheduling/baselines.h"

#include <algorithm>
#include <utility>

namespace concertina::simulation {

EarliestDeadline::EarliestDeadline(std::vector<scheduler::ModelCost> models)
    : models_(std::move(models)), monitor_(models_) {}

scheduler::Action EarliestDeadline::choose(const scheduler::Situation& situation) {
  const std::span<const scheduler::Job> queue = situation.queue;
  for (std::size_t i = 0; i < queue.size(); ++i) {
    if (queue[i].id <= judged_) continue;
    judged_ = queue[i].id;
    if (!fits(situation, i)) return {.kind = scheduler::Action::Kind::shed, .job = static_cast<int>(i)};
  }
  return scheduler::run_on(
      queue, scheduler::least_runnable(queue, [](const scheduler::Job& job) { return job.deadline; }));
}

/// Those before it in the queue have been admitted. Who is late without the newcomer does not speak against
/// it.
bool EarliestDeadline::fits(const scheduler::Situation& situation, std::size_t newcomer) {
  order_.clear();
  for (std::size_t i = 0; i <= newcomer; ++i) order_.push_back(&situation.queue[i]);
  std::sort(order_.begin(), order_.end(), [](const scheduler::Job* a, const scheduler::Job* b) {
    return std::pair(a->deadline, a->id) < std::pair(b->deadline, b->id);
  });
  const scheduler::Job* const added = &situation.queue[newcomer];
  Time end = situation.now, share{0};
  for (const scheduler::Job* job : order_) {
    const scheduler::SizeCost& full = models_[job->model].sizes.front();
    const Time took = monitor_.corrected(job->model, full.left[job->done]);
    end += took;
    if (job == added) share = took;
    const bool late = end > job->deadline, late_anyway = job != added && end - share > job->deadline;
    if (share > Time(0) && late && !late_anyway) return false;
  }
  return true;
}

ShortestRemaining::ShortestRemaining(std::vector<scheduler::ModelCost> models)
    : models_(std::move(models)), monitor_(models_) {}

scheduler::Action ShortestRemaining::choose(const scheduler::Situation& situation) {
  return scheduler::run_on(situation.queue,
                           scheduler::least_runnable(situation.queue, [&](const scheduler::Job& job) {
                             const scheduler::SizeCost& full = models_[job.model].sizes.front();
                             return monitor_.corrected(job.model, full.left[job.done]);
                           }));
}

Dysta::Dysta(std::vector<scheduler::ModelCost> models, double eta)
    : models_(std::move(models)), monitor_(models_), eta_(eta) {}

scheduler::Action Dysta::choose(const scheduler::Situation& situation) {
  const auto jobs = static_cast<double>(situation.queue.size());
  return scheduler::run_on(situation.queue,
                           scheduler::least_runnable(situation.queue, [&](const scheduler::Job& job) {
                             const scheduler::SizeCost& full = models_[job.model].sizes.front();
                             const Time left = full.left[job.done];
                             const double remaining = to_ms(monitor_.corrected(job.model, left));
                             const double isolated = to_ms(monitor_.corrected(job.model, full.total()));
                             const double slack = to_ms(job.deadline - situation.now) - remaining;
                             const double waited = to_ms(situation.now - job.arrival) - isolated + remaining;
                             return remaining + eta_ * (slack + waited / isolated / jobs);
                           }));
}

}  // namespace concertina::simulation
