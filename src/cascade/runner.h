#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "cascade/cascade.h"
#include "cascade/run_times.h"
#include "concertina/session.h"

namespace concertina::cascade {

/// What runs one image: a session, or what a test puts in its place.
class ImageRunner {
 public:
  virtual ~ImageRunner() = default;
  /// Writes the model's outputs. Neither allocates nor locks.
  virtual Status run(std::span<const float> image, int subnet, std::span<float> outputs) = 0;
};

/// Runs images on a session, which must outlive it.
class SessionImageRunner final : public ImageRunner {
 public:
  explicit SessionImageRunner(Session& session) : session_(&session) {}
  Status run(std::span<const float> image, int subnet, std::span<float> outputs) override {
    return session_->run(image, 1, subnet, outputs);
  }

 private:
  Session* session_;
};

/// By when an answer is wanted.
struct CascadeDeadline {
  Time at{0};              ///< on the runner's clock
  double quantile = 0.99;  ///< a stage starts only if this share of its runs would end in time
};

/// What a cascade says of an image.
struct CascadeRun {
  int label = -1;          ///< -1: not even the first stage could have been in time
  double confidence = 0;   ///< by the cascade's measure
  int stages = 0;          ///< that ran: the first so many
  bool cut_short = false;  ///< the deadline, not the confidence, kept the next stage from running
  Time took{0};
  std::span<const Time> stage_times;  ///< of those that ran; the runner's, until its next run
};

/// Runs a cascade. It owns its memory and is for one thread at a time.
class CascadeRunner {
 public:
  /// Fails if Cascade::check() does, or if the model has several inputs or does not tell at least two classes
  /// apart in its first output. `runner`, `clock` and `times` must outlive it; without `times` no deadline
  /// may be given.
  static Result<CascadeRunner> make(const Cascade& cascade, const Model& model, ImageRunner& runner,
                                    const Clock& clock, const RunTimes* times = nullptr);

  /// Looks at an image, [channels][height][width] as Session::run() takes it, until the answer is confident
  /// enough. Neither allocates nor locks. Fails if a run fails, or if there is a deadline but were no times.
  Result<CascadeRun> run(std::span<const float> image, const std::optional<CascadeDeadline>& deadline = {});

  /// After a run with an answer: softmax of these are the probabilities of the classes.
  std::span<const float> scores() const { return scores_; }

 private:
  CascadeRunner(const Cascade& cascade, const Model& model, ImageRunner& runner, const Clock& clock,
                const RunTimes* times);

  std::span<const float> seen(std::span<const float> image, const Look& look);

  Cascade cascade_;
  int width_;
  bool probabilities_;
  ImageRunner* runner_;
  const Clock* clock_;
  const RunTimes* times_;
  std::vector<float> mirror_, outputs_, scores_;
  std::vector<Time> stage_times_;
};

}  // namespace concertina::cascade
