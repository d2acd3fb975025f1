#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>

#include "concertina/model.h"
#include "concertina/result.h"

namespace concertina {

/// What an answer may cost, and what it must be worth.
struct Budget {
  /// From the call of run(). One that has passed, 0 or less, runs the fastest sub-net.
  std::chrono::nanoseconds deadline{0};
  double quantile = 0.99;   ///< the share of answers that are to be in time, above 0 and below 1
  double min_accuracy = 0;  ///< 0 .. 1; no sub-net whose validation accuracy is below this is run
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
  int threads = 1;  ///< that work on one run, the caller's included; 1 .. 256
  int batch = 1;    ///< images of every run
  /// The table that `concertina profile` wrote for the model on this machine. Empty: make() measures the
  /// sub-nets itself, which takes some hundred runs of the largest.
  std::filesystem::path latency_table = {};
  /// Takes a table, and a plan, of another machine: a table is corrected after the first runs, by one factor
  /// for all sub-nets.
  bool other_machine = false;
  /// How often a thread of the session looks at what the machine shows (pressure, throttling, heat, power)
  /// and limits the size of the sub-nets by it: 20 ms .. 60 s, 200 ms is a good one. 0: never.
  std::chrono::milliseconds supervise{0};
  /// A file of `concertina plan` for the model on this machine: its rules then say the largest sub-net for
  /// the machine's state. Needs `supervise`.
  std::filesystem::path plan = {};
};

/// Runs a model in the time there is: picks, for every run, the most accurate sub-net that is expected to
/// meet the deadline, and learns from what the run took. For one thread at a time, but for allow_from(); any
/// number of them may share one model.
class AdaptiveSession {
 public:
  /// Fails if an option is out of range, memory is short, the latency table cannot be read, is of another
  /// machine, or lacks a sub-net with this batch and number of threads, or the plan does not fit.
  /// Precondition: model is not null.
  static Result<AdaptiveSession> make(std::shared_ptr<const Model> model,
                                      const AdaptiveOptions& options = {});

  AdaptiveSession(AdaptiveSession&&) noexcept;
  AdaptiveSession& operator=(AdaptiveSession&&) noexcept;
  ~AdaptiveSession();

  /// Runs a sub-net that fits the budget; if none does, of those that are accurate enough the one that is
  /// most likely to be of use. images and logits are as for Session::run() with the session's batch. Neither
  /// allocates nor locks. Fails, without touching logits, if the quantile or min_accuracy is not between
  /// 0 and 1, no sub-net reaches min_accuracy, or a span has not exactly its size.
  Result<Answer> run(std::span<const float> images, const Budget& budget, std::span<float> logits);

  /// Every run takes this sub-net from now on, whatever the budget; nullopt: the budget decides again. Fails
  /// if there is no such sub-net.
  Status select(std::optional<int> subnet);

  /// No sub-net larger than this one is run (0: all may be), nor than `supervise` allows. From any thread.
  /// Precondition: an index of model().subnets().
  void allow_from(int subnet);

  const Model& model() const;

 private:
  struct Impl;
  explicit AdaptiveSession(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace concertina
