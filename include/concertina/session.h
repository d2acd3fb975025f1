#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "concertina/model.h"
#include "concertina/result.h"

namespace concertina {

struct SessionOptions {
  int threads = 1;    ///< threads that work on one run, with the caller's; 1 .. 256
  int max_batch = 1;  ///< the most images that one run may have
};

/// How long one step of a run takes. A step runs one or more nodes of the model's file in one pass over
/// memory.
struct StepTime {
  std::string name;       ///< the name of its first node, or what it does between nodes
  std::string kind;       ///< "Conv 3x3", "Add"
  std::int64_t macs = 0;  ///< multiply-accumulates for one image
  double median_ms = 0;
};

/// Runs the sub-net that it is told to run. A session owns its scratch memory and its threads.
///
/// Threads: a session is for one thread at a time. A call that finds another thread inside fails and changes
/// nothing. Sessions of one model do not disturb each other.
class Session {
 public:
  /// Allocates all the memory that run() needs. Fails if an option is out of range, if memory is short, or if
  /// the system refuses a thread. Precondition: model is not null.
  static Result<Session> make(std::shared_ptr<const Model> model, const SessionOptions& options = {});

  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  /// Runs the sub-net model().subnets()[subnet]. Changing the sub-net from run to run costs nothing. Results
  /// depend neither on earlier runs nor on the number of threads.
  ///
  /// images: [batch][channels][height][width], normalised as model().image() says. A model of several inputs
  /// takes them one after the other, in the order of model().inputs(), each for the whole batch. A sub-net
  /// with a resolution scales them down itself, bilinearly with antialiasing. It also takes images that are
  /// of its own size (SubnetInfo), and then does not scale; the span's length tells them apart. logits:
  /// [batch][classes]. Several outputs come one after the other, in the order of model().outputs(), each for
  /// the whole batch; a map is [batch][channels][height][width].
  ///
  /// Denormal numbers count as zero while it runs, so that the time does not depend on the values; then the
  /// calling thread computes as before.
  ///
  /// Both spans belong to the caller and are not kept. The run neither allocates nor waits. Fails, and leaves
  /// logits as they were, if batch is not in 1 .. max_batch, if there is no such sub-net, if a span is too
  /// long or too short, or if another thread is in the session.
  Status run(std::span<const float> images, int batch, int subnet, std::span<float> logits);

  /// Starts a run that advance() continues step by step. Other work may use the processor between the steps.
  /// begin() and advance() until it is true give what run() gives, to the last bit. Fails as run() does.
  ///
  /// Until the run has ended, both spans must live and images must not change. Before that, logits hold no
  /// result. Other sessions do not disturb the run. A further begin(), run() or profile() of this session
  /// abandons it, unless that call fails because of its arguments.
  Status begin(std::span<const float> images, int batch, int subnet, std::span<float> logits);

  /// Runs at most `steps` further steps of the run that begin() started. True if the run has ended or none
  /// was begun. False, with nothing done, if another thread is in the session. Neither allocates nor waits.
  bool advance(int steps = 1);

  /// The number of steps of a run of the sub-net on one image. Layers that run in bands of rows are one step.
  /// A batch may have more: its first steps may run on some images at a time, and each time counts.
  /// Precondition: subnet is an index of model().subnets().
  int steps(int subnet) const;

  /// Times every step of run(images, batch, subnet) in `runs` runs. The times add up to a little more than a
  /// run takes, because the clock is read after each step. Allocates. Fails as run() does, and if runs < 1.
  Result<std::vector<StepTime>> profile(std::span<const float> images, int batch, int subnet, int runs);

  const Model& model() const;
  const SessionOptions& options() const;

 private:
  struct Impl;
  explicit Session(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace concertina
