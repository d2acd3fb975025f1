#include "scheduler/step_loop.h"

#include <fmt/format.h>

#include "base/try.h"

namespace concertina::scheduler {

Result<std::optional<JobRecord>> StepLoop::turn() {
  const Action action =
      policy_.choose({.now = now_, .queue = queue_, .running = running_, .changed = changed_});
  changed_ = false;
  RETURN_IF_ERROR(check(action));
  if (action.kind == Action::Kind::shed) return std::optional(leave(action.job, true));
  if (running_ >= 0 && running_ != action.job) ++counts_.preemptions;
  running_ = action.job;
  Job& job = queue_[action.job];
  if (job.begun() && job.size != action.size) {
    ++counts_.restarts;
    job.done = 0;
  }
  if (!job.begun()) {
    job.size = action.size;
    RETURN_IF_ERROR(executor_.begin(job));
  }
  const Time started = executor_.now();
  counts_.deciding += started - now_;
  RETURN_IF_ERROR(executor_.step(job));
  now_ = executor_.now();
  const SizeCost& cost = model_of(job).sizes[job.size];
  policy_.observe({.model = job.model, .predicted = cost.step(job.done), .took = now_ - started});
  ++counts_.steps;
  if (++job.done < cost.steps()) return std::optional<JobRecord>();
  return std::optional(leave(action.job, false));
}

Status StepLoop::check(const Action& action) const {
  const auto place = static_cast<std::size_t>(action.job);
  const bool known = place < queue_.size();
  if (known && action.kind == Action::Kind::shed) return {};
  if (known && runnable(queue_, place) && action.size >= 0 &&
      static_cast<std::size_t>(action.size) < model_of(queue_[place]).sizes.size()) {
    return {};
  }
  return Error{fmt::format("the policy '{}' asks for job {} of {} at size {}, which cannot run now",
                           policy_.name(), action.job, queue_.size(), action.size)};
}

JobRecord StepLoop::leave(int place, bool shed) {
  const auto job = queue_.begin() + place;
  const JobRecord record{.job = *job, .left = now_, .shed = shed};
  queue_.erase(job);
  if (running_ == place) running_ = -1;
  if (running_ > place) --running_;
  changed_ = true;
  return record;
}

}  // namespace concertina::scheduler
