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
  int threads = 1;    ///< that work on one run, the caller's included; 1 .. 256
  int max_batch = 1;  ///< images that one run may have
};

/// How long one step of a run takes. A step is one or more nodes of the file in one pass over memory.
struct StepTime {
  std::string name;       ///< of its first node in the file, or what it does between nodes
  std::string kind;       ///< "Conv 3x3", "Add"
  std::int64_t macs = 0;  ///< multiply-accumulates for one image
  double median_ms = 0;
};

/// Runs a model. It owns its scratch memory and its threads and is for one thread at a time; sessions of one
/// model do not disturb each other.
class Session {
 public:
  /// Allocates all that run() will need. Fails if an option is out of range or memory is short. Precondition:
  /// model is not null.
  static Result<Session> make(std::shared_ptr<const Model> model, const SessionOptions& options = {});

  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  /// Runs the sub-net model().subnets()[subnet]. Any may follow any other at no cost, and the results do not
  /// depend on what ran before or on the number of threads.
  ///
  /// images [batch][channels][height][width], normalised as model().image() says -> logits [batch][classes].
  /// Of several inputs each lies whole after the one before, [batch][channels][height][width] in the order of
  /// model().inputs(); of several outputs, or one that is a map, the same in the order of model().outputs().
  /// Both belong to the caller and are not kept. Neither allocates nor locks. Fails, without touching logits,
  /// if the batch is not in 1 .. max_batch, there is no such sub-net, or a span has not exactly its size.
  Status run(std::span<const float> images, int batch, int subnet, std::span<float> logits);

  /// Starts a run that advance() carries on, so that others may have the processor between its steps: begin()
  /// and advance() until it is true are run(), to the last bit. Takes and refuses what run() does. Until the
  /// run has ended, both spans must live and the images must not change; what is in logits before is no
  /// result. A run in progress keeps its values in the session's scratch memory, whatever other sessions do;
  /// begin(), run() and profile() of its own session abandon it, unless they fail on their arguments.
  Status begin(std::span<const float> images, int batch, int subnet, std::span<float> logits);

  /// Runs the next steps of the run that was begun, at most `steps` of them. True if it has ended, or there
  /// is none. Neither allocates nor locks.
  bool advance(int steps = 1);

  /// Steps that a run of the sub-net has for one image; layers that run in bands of rows are one step. Of a
  /// batch the first of them may be done for some images at a time, and count each time. Precondition: an
  /// index of model().subnets().
  int steps(int subnet) const;

  /// Times every layer of run(images, batch, subnet) in `runs` runs; their sum is a little above the time of
  /// a run, because the clock is read after each. Fails as run() does, and if runs < 1.
  Result<std::vector<StepTime>> profile(std::span<const float> images, int batch, int subnet, int runs);

  const Model& model() const;
  const SessionOptions& options() const;

 private:
  struct Impl;
  explicit Session(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace concertina
