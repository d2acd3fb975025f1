#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "concertina/model.h"
#include "concertina/result.h"

namespace concertina {

struct SchedulerOptions {
  /// The share of the time from a request to its deadline that plans leave free, 0 .. 1. It is there for runs
  /// that take longer than expected and for requests that are still to come. More of it costs accuracy.
  double reserve = 0.1;
};

/// A request that has left the scheduler: answered, or given up.
struct ScheduledAnswer {
  std::int64_t request = 0;  ///< the number that submit() gave
  int model = 0;             ///< an index of the models that make() was given
  int subnet = 0;            ///< the sub-net that answered
  double accuracy = 0;       ///< its validation accuracy, 0 .. 1
  bool shed = false;     ///< true: given up, because no sub-net could have been in time; there is no output
  bool in_time = false;  ///< true: answered before the deadline
  double actual_ms = 0;  ///< from submit() until it left
};

/// Lets several models share one thread. Requests wait in a queue, each with a deadline. Between any two
/// steps of a run the scheduler decides which request goes on, and at which size, so that the deadlines are
/// met with the least loss of accuracy. A request that cannot be in time any more is given up.
///
///   const auto request = scheduler->submit(0, image, 20ms, logits);
///   while (scheduler->waiting() > 0) {
///     const auto left = scheduler->advance();
///     if (left && *left && !(*left)->shed) use((*left)->request, logits);
///   }
///
/// Threads: a scheduler is for one thread at a time. A call that finds another thread inside fails and
/// changes nothing.
class Scheduler {
 public:
  /// Measures the steps of all sub-nets: at least 20 runs of each, and half a second in all. Fails if an
  /// option is out of range, if there is no model, or if memory is short. Preconditions: no model is null;
  /// one that is there twice counts as two.
  static Result<Scheduler> make(std::vector<std::shared_ptr<const Model>> models,
                                const SchedulerOptions& options = {});

  Scheduler(Scheduler&&) noexcept;
  Scheduler& operator=(Scheduler&&) noexcept;
  ~Scheduler();

  /// Puts a request for one image into the queue and gives its number: 0 for the first, then 1, and so on.
  /// image and outputs are those of Session::run() with batch 1. Until the request has left, both must live
  /// and image must not change. Before that, outputs hold no result. The deadline counts from this call.
  /// Allocates only if more requests wait than ever before. Fails if there is no such model, if a span is too
  /// long or too short, or if another thread is in the scheduler.
  Result<std::int64_t> submit(int model, std::span<const float> image, std::chrono::nanoseconds deadline,
                              std::span<float> outputs);

  /// Runs one step of one request, or gives one up. Gives the request that left with that, if one did. Does
  /// nothing if no request waits. A step is one or a few layers. Allocates only if more requests wait than
  /// ever before. Fails if another thread is in the scheduler.
  Result<std::optional<ScheduledAnswer>> advance();

  /// Requests that were submitted and have not left.
  std::size_t waiting() const;

  std::span<const std::shared_ptr<const Model>> models() const;

 private:
  struct Impl;
  explicit Scheduler(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace concertina
