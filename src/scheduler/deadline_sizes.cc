#include "scheduler/deadline_sizes.h"

#include <algorithm>
#include <utility>

namespace concertina::scheduler {

DeadlineSizes::DeadlineSizes(std::vector<ModelCost> models, const DeadlineSizesOptions& options)
    : models_(std::move(models)), options_(options), monitor_(models_) {
  if (options_.lowers_sizes) return;
  for (ModelCost& model : models_) model.sizes.resize(1);
}

Action DeadlineSizes::choose(const Situation& situation) {
  const std::span<const Job> queue = situation.queue;
  if (!situation.changed && situation.running >= 0) {
    return run_on(queue, static_cast<std::size_t>(situation.running));
  }
  const std::size_t late = hopeless(situation);
  if (late < queue.size()) return {.kind = Action::Kind::shed, .job = static_cast<int>(late)};
  plan(situation);
  const std::size_t first = first_of_plan(situation);
  const Job& job = queue[order_[first]];
  if (runnable(queue, order_[first])) {
    return {
        .kind = Action::Kind::run, .job = static_cast<int>(order_[first]), .size = plan_.chosen(first).size};
  }
  // Its model's session is taken: who has it goes first.
  return run_on(queue, least_runnable(queue, [&](const Job& other) {
                  return std::pair(other.model != job.model, other.deadline);
                }));
}

/// The first job that is late even if it is alone from now on; the queue's size if there is none.
std::size_t DeadlineSizes::hopeless(const Situation& situation) const {
  std::size_t i = 0;
  while (i < situation.queue.size() &&
         situation.now + least_time(situation.queue[i]) <= situation.queue[i].deadline) {
    ++i;
  }
  return i;
}

Time DeadlineSizes::least_time(const Job& job) const {
  const ModelCost& model = models_[job.model];
  Time least = Time::max();
  for (const SizeCost& size : model.sizes) least = std::min(least, size.total());
  if (job.begun()) {
    least = std::min(least, model.sizes[job.size].left[job.done]);
  }
  return monitor_.corrected(job.model, least);
}

void DeadlineSizes::plan(const Situation& situation) {
  const std::span<const Job> queue = situation.queue;
  order_.resize(queue.size());
  for (std::size_t i = 0; i < queue.size(); ++i) order_[i] = i;
  std::sort(order_.begin(), order_.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(queue[a].deadline, a) < std::pair(queue[b].deadline, b);
  });
  plan_.clear();
  for (const std::size_t place : order_) {
    const Job& job = queue[place];
    list_options(job);
    const std::size_t kept = keep_convex(ways_);
    const Time target = job.deadline - scaled(job.deadline - job.arrival, options_.reserve);
    plan_.add(std::span(ways_).first(kept), target, job.deadline);
  }
  plan_.solve(situation.now);
}

void DeadlineSizes::list_options(const Job& job) {
  const ModelCost& model = models_[job.model];
  const double best = model.sizes.front().accuracy;
  ways_.clear();
  // A run that is begun goes on where it is at its size, and would begin anew at a smaller one.
  for (auto s = static_cast<std::size_t>(job.begun() ? job.size : 0); s < model.sizes.size(); ++s) {
    const SizeCost& size = model.sizes[s];
    const bool goes_on = job.begun() && static_cast<int>(s) == job.size;
    const Time time = goes_on ? size.left[job.done] : size.total();
    ways_.push_back({.time = monitor_.corrected(job.model, time),
                     .lost = best - size.accuracy,
                     .size = static_cast<int>(s)});
  }
}

/// The job that ran last, if those before it can wait for its end; else the first that is not left out.
std::size_t DeadlineSizes::first_of_plan(const Situation& situation) const {
  std::size_t first = 0;
  while (plan_.left_out(first)) ++first;  // never all: each would be in time if it were alone
  std::size_t running = first;
  while (running < order_.size() && static_cast<int>(order_[running]) != situation.running) ++running;
  if (running == order_.size() || plan_.left_out(running)) return first;
  Time end = situation.now + plan_.chosen(running).time;
  for (std::size_t j = first; j < running; ++j) {
    if (plan_.left_out(j)) continue;
    end += plan_.chosen(j).time;
    if (end > plan_.target(j)) return first;
  }
  return running;
}

}  // namespace concertina::scheduler
