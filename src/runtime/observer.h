#pragma once

#include <functional>
#include <memory>
#include <span>

#include "concertina/result.h"
#include "onnx/model_file.h"

namespace concertina::runtime {

/// Runs a sub-net in fp32 and shows what every node makes, for calibration. The kernels are those of
/// Session, but no two nodes are fused. It belongs to one thread at a time.
class Observer {
 public:
  /// Takes one of a node's values: its id in the model's graph, and its active channels, [batch][c][h][w].
  /// The values are gone when it returns.
  using Visit = std::function<void(NodeId node, std::span<const float> values)>;

  /// Fails if there is no sub-net of this number, or if it has an op that the runtime cannot run.
  /// Preconditions: check_model() accepts the file; max_batch and threads are 1 or more.
  static Result<Observer> make(const onnx::ModelFile& file, int subnet, int max_batch, int threads);

  Observer(Observer&&) noexcept;
  Observer& operator=(Observer&&) noexcept;
  ~Observer();

  /// Calls `visit` once for each node that the sub-net runs and an output depends on, inputs included; nodes
  /// come after those that they read. images: as Session::run() takes them, at the network's resolution.
  /// Fails if their size or the batch is wrong.
  Status run(std::span<const float> images, int batch, const Visit& visit);

 private:
  struct Impl;
  explicit Observer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace concertina::runtime
