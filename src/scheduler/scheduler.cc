#include "scheduler/scheduler.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/try.h"

namespace concertina::scheduler {

namespace {

class Scheduler {
 public:
  Scheduler(std::span<const ModelCost> models, std::span<const Arrival> arrivals, SchedulingPolicy& policy,
            StepExecutor& executor)
      : models_(models), arrivals_(arrivals), policy_(policy), executor_(executor) {
    log_.records.reserve(arrivals.size());
  }

  Result<ScheduleLog> serve() {
    now_ = executor_.now();
    while (true) {
      admit();
      if (queue_.empty() && next_ == arrivals_.size()) break;
      if (queue_.empty()) {
        executor_.wait_until(arrivals_[next_].at);
        now_ = executor_.now();
        continue;
      }
      const Action action = policy_.choose(
          {.now = now_, .queue = queue_, .running = running_, .changed = std::exchange(changed_, false)});
      RETURN_IF_ERROR(check(action));
      if (action.kind == Action::Kind::shed) {
        leave(action.job, true);
      } else {
        RETURN_IF_ERROR(run(action));
      }
    }
    log_.ended = now_;
    return std::move(log_);
  }

 private:
  void admit() {
    for (; next_ < arrivals_.size() && arrivals_[next_].at <= now_; ++next_) {
      const Arrival& arrival = arrivals_[next_];
      queue_.push_back({.id = static_cast<int>(next_),
                        .model = arrival.model,
                        .arrival = arrival.at,
                        .deadline = arrival.deadline});
      changed_ = true;
    }
  }

  Status check(const Action& action) const {
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

  Status run(const Action& action) {
    if (running_ >= 0 && running_ != action.job) ++log_.preemptions;
    running_ = action.job;
    Job& job = queue_[action.job];
    if (job.begun() && job.size != action.size) {
      ++log_.restarts;
      job.done = 0;
    }
    if (!job.begun()) {
      job.size = action.size;
      RETURN_IF_ERROR(executor_.begin(job));
    }
    const Time started = executor_.now();
    log_.deciding += started - now_;
    RETURN_IF_ERROR(executor_.step(job));
    now_ = executor_.now();
    const SizeCost& cost = model_of(job).sizes[job.size];
    policy_.observe({.model = job.model, .predicted = cost.step(job.done), .took = now_ - started});
    ++log_.steps;
    if (++job.done == cost.steps()) leave(action.job, false);
    return {};
  }

  void leave(int place, bool shed) {
    const auto job = queue_.begin() + place;
    log_.records.push_back({.job = *job, .left = now_, .shed = shed});
    queue_.erase(job);
    if (running_ == place) running_ = -1;
    if (running_ > place) --running_;
    changed_ = true;
  }

  const ModelCost& model_of(const Job& job) const { return models_[job.model]; }

  std::span<const ModelCost> models_;
  std::span<const Arrival> arrivals_;
  SchedulingPolicy& policy_;
  StepExecutor& executor_;
  Time now_{0};  ///< when the last step or wait ended
  std::vector<Job> queue_;
  std::size_t next_ = 0;
  int running_ = -1;
  bool changed_ = false;
  ScheduleLog log_;
};

}  // namespace

Result<ScheduleLog> run_schedule(std::span<const ModelCost> models, std::span<const Arrival> arrivals,
                                 SchedulingPolicy& policy, StepExecutor& executor) {
  return Scheduler(models, arrivals, policy, executor).serve();
}

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
