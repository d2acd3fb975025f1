#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <span>

#include "concertina/model.h"
#include "concertina/result.h"

namespace concertina {

struct CascadeOptions {
  int threads = 1;  ///< threads that work on one run, with the caller's; 1 .. 256
  /// A file that `concertina profile` wrote for this model on this machine, with batch 1 and this number of
  /// threads. Empty: make() measures for half a second. AdaptiveOptions::latency_table says when to give one.
  std::filesystem::path latency_table = {};
  bool other_machine = false;  ///< accepts a table of another machine; the first runs correct it
};

/// How long an answer may take.
struct CascadeBudget {
  /// The time from the call of run() until the answer. max(): no deadline.
  std::chrono::nanoseconds deadline = std::chrono::nanoseconds::max();
  double quantile =
      0.99;  ///< a stage starts only if this share of its runs would be in time; above 0, below 1
};

/// What a cascade answered, and what ran for it.
struct CascadeAnswer {
  int label = -1;  ///< an index of Model::classes(); -1: not even the first stage would have been in time
  double confidence = 0;   ///< 0 .. 1, by the measure that the cascade's file names
  int stages = 0;          ///< how many stages ran
  int subnet = -1;         ///< the sub-net of the last stage that ran; -1: none ran
  bool cut_short = false;  ///< the deadline kept the next stage from running; the answer was not sure yet
  double actual_ms = 0;    ///< from the call of run() to its end
  bool in_time = false;    ///< there is a label, and the run met the deadline
};

/// Runs a cascade: a small sub-net first, and a larger one if the answer is not sure. It starts no stage that
/// would not be in time. It learns from how long each stage took.
///
/// Threads: a session is for one thread at a time. A run that finds another thread inside fails and changes
/// nothing. Any number of sessions may share one model.
class CascadeSession {
 public:
  /// Loads a file that `concertina cascade` wrote for this model (<model>.cascade.json). Fails if the file
  /// cannot be read or is damaged, if it is of another model or precision, or for the reasons of
  /// AdaptiveSession::make(). Precondition: model is not null.
  static Result<CascadeSession> make(std::shared_ptr<const Model> model, const std::filesystem::path& cascade,
                                     const CascadeOptions& options = {});

  CascadeSession(CascadeSession&&) noexcept;
  CascadeSession& operator=(CascadeSession&&) noexcept;
  ~CascadeSession();

  /// Classifies one image, [channels][height][width], normalised as model().image() says. Writes
  /// scores [classes]: softmax(scores) are the probabilities; of a model whose outputs are
  /// probabilities, scores are made of their logarithms. scores may be empty if they are not wanted;
  /// they are all 0 if no stage ran. Both spans belong to the caller and are not kept. The run neither
  /// allocates nor waits. Fails, and leaves scores as they were, if quantile is not between 0 and 1, if a
  /// span is too long or too short, or if another thread is in the session.
  Result<CascadeAnswer> run(std::span<const float> image, const CascadeBudget& budget,
                            std::span<float> scores = {});

  const Model& model() const;

 private:
  struct Impl;
  explicit CascadeSession(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace concertina
