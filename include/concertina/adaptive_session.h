#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>

#include "concertina/machine_state.h"
#include "concertina/model.h"
#include "concertina/result.h"

namespace concertina {

/// How long an answer may take, and how good it must be.
struct Budget {
  /// The time from the call of run() until the answer. 0 or less has passed already: the fastest sub-net
  /// runs.
  std::chrono::nanoseconds deadline{0};
  double quantile = 0.99;   ///< the share of answers that must be in time, above 0 and below 1
  double min_accuracy = 0;  ///< 0 .. 1; sub-nets with a lower validation accuracy do not run
};

/// What a run was.
struct Answer {
  int subnet = 0;       ///< that ran: an index of Model::subnets()
  double accuracy = 0;  ///< its validation accuracy
  /// The time in which the run was to end for the requested share of answers to be in time: a quantile of
  /// what runs take now, corrected by how many answers have been late.
  double predicted_ms = 0;
  double actual_ms = 0;  ///< from the call of run() to its end
  bool fits = false;     ///< predicted_ms is at most the deadline
  bool in_time = false;  ///< actual_ms is
};

struct AdaptiveOptions {
  int threads = 1;  ///< threads that work on one run, with the caller's; 1 .. 256
  int batch = 1;    ///< images of every run
  /// A file that `concertina profile` wrote for this model on this machine while the machine was quiet. It
  /// must have this batch and this number of threads.
  ///
  /// Empty: make() measures. That takes half a second, and at least 20 runs of each sub-net. It measures the
  /// machine as it is then. If the machine is busy, as it is while it boots, the session takes slow runs for
  /// normal ones, and answers the first hundreds of requests with smaller sub-nets than it could. A program
  /// that may start on a busy machine should come with a table.
  std::filesystem::path latency_table = {};
  /// Accepts a table, and a plan, of another machine. The first runs then correct the table by one factor for
  /// all sub-nets.
  bool other_machine = false;
  /// Period at which a thread of the session looks at the machine: pressure, throttling, heat and power. The
  /// session then runs no sub-net that is too large for the machine's state. 20 ms to 60 s; 200 ms is a good
  /// choice. 0: never.
  std::chrono::milliseconds supervise{0};
  /// A file that `concertina plan` wrote for this model on this machine. Its rules then say which sub-net is
  /// the largest that may run. Needs `supervise`.
  std::filesystem::path plan = {};
};

/// What an AdaptiveSession knows of its machine.
struct MachineCondition {
  MachineState state = MachineState::normal;  ///< what the machine showed last; normal without `supervise`
  double slow_down = 1;  ///< what runs take now, as a multiple of what the latency table says
};

/// Runs a model within a deadline. For every run it picks the most accurate sub-net that is expected to be in
/// time. It learns from how long each run took. What it has learned is gone with it.
///
/// Threads: a session is for one thread at a time; only allow_from() may be called beside it. A run that
/// finds another thread inside fails and changes nothing. Any number of sessions may share one model.
class AdaptiveSession {
 public:
  /// Measures, if no latency table is given. Fails if an option is out of range, if memory is short, if the
  /// system refuses a thread, or if the table or the plan cannot be read or is of another model or machine.
  /// Precondition: model is not null.
  static Result<AdaptiveSession> make(std::shared_ptr<const Model> model,
                                      const AdaptiveOptions& options = {});

  AdaptiveSession(AdaptiveSession&&) noexcept;
  AdaptiveSession& operator=(AdaptiveSession&&) noexcept;
  ~AdaptiveSession();

  /// Runs the most accurate sub-net that fits the budget. If none fits, it runs the one that promises most
  /// among those that are accurate enough. images and logits are those of Session::run() with the session's
  /// batch. The run neither allocates nor waits. Fails, and leaves logits as they were, if quantile or
  /// min_accuracy is not between 0 and 1, if no sub-net reaches min_accuracy, if a span is too long or too
  /// short, or if another thread is in the session.
  Result<Answer> run(std::span<const float> images, const Budget& budget, std::span<float> logits);

  /// From now on every run takes this sub-net, whatever the budget says. nullopt: the budget decides again.
  /// Fails if there is no such sub-net, or if another thread is in the session.
  Status select(std::optional<int> subnet);

  /// From now on no larger sub-net than this one runs; 0 allows all. `supervise` may forbid more. May be
  /// called from any thread. Precondition: subnet is an index of model().subnets().
  void allow_from(int subnet);

  /// What a plan's rules ask for (PlanRules::find()). May be called from any thread.
  MachineCondition machine() const;

  const Model& model() const;

 private:
  struct Impl;
  explicit AdaptiveSession(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace concertina
