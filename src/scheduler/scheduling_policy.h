#pragma once

#include <span>
#include <string_view>

#include "scheduler/job.h"

namespace concertina::scheduler {

/// The machine between two steps.
struct Situation {
  Time now{0};
  std::span<const Job> queue;  ///< not empty; in the order of arrival
  int running = -1;            ///< the job in the queue whose step ran last; -1: it has ended, or none has
  bool changed = true;         ///< jobs have come or gone since the last decision
};

/// What happens next to one job of the queue.
struct Action {
  enum class Kind { run, shed };
  Kind kind = Kind::run;
  int job = 0;   ///< its place in the queue
  int size = 0;  ///< run: that its next step is of; another than the job has begins it anew
};

/// A step that has run.
struct StepObservation {
  int model = 0;
  Time predicted{0};
  Time took{0};
};

/// Decides between any two steps which job's step is next. A model's session holds one run, so of a model's
/// jobs only one may be begun: runnable() tells. For one thread at a time; no function but the constructor
/// reads a clock or locks, and none allocates once the longest queue has been seen.
class SchedulingPolicy {
 public:
  virtual ~SchedulingPolicy() = default;
  virtual std::string_view name() const = 0;
  virtual Action choose(const Situation& situation) = 0;
  /// To be told of every step, in order.
  virtual void observe(const StepObservation&) {}
};

/// True unless another job of its model is begun.
bool runnable(std::span<const Job> queue, std::size_t job);

/// A step of this job at the size it has.
inline Action run_on(std::span<const Job> queue, std::size_t job) {
  return {.kind = Action::Kind::run, .job = static_cast<int>(job), .size = queue[job].size};
}

/// The runnable job with the smallest key(job); of equal ones the first to come. There is always one.
template <typename Key>
std::size_t least_runnable(std::span<const Job> queue, Key key) {
  std::size_t best = queue.size();
  decltype(key(queue[0])) least{};
  for (std::size_t i = 0; i < queue.size(); ++i) {
    const auto value = key(queue[i]);
    if ((best == queue.size() || value < least) && runnable(queue, i)) {
      best = i;
      least = value;
    }
  }
  return best;
}

}  // namespace concertina::scheduler
