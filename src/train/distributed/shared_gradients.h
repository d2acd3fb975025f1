#pragma once

#include <memory>
#include <vector>

#include "graph/graph.h"
#include "train/distributed/processes.h"
#include "train/tensors.h"

namespace c10d {
class Reducer;
}

namespace concertina::train {

/// Makes gradients those of the whole batch, of which each process has a part: the mean over processes, sent
/// while the backward pass still runs (LibTorch's c10d::Reducer, the engine of DistributedDataParallel). Must
/// live as long as anyone runs backward on the tensors.
class SharedGradients {
 public:
  SharedGradients();  ///< of a process that is alone

  /// `trained`: leaves. The layers of the graph that come last are sent first, as their gradients are there
  /// first.
  SharedGradients(const Processes& processes, const Graph& graph, const Tensors& trained);
  ~SharedGradients();
  SharedGradients(SharedGradients&&) noexcept;
  SharedGradients& operator=(SharedGradients&&) noexcept;

  /// The last backward pass of a step. The gradients that it and those before it, by loss.backward(), have
  /// added up are then the mean over processes. A tensor that no process's pass has reached keeps what it
  /// has. All processes run passes of the same shape.
  void backward(const torch::Tensor& loss) const;

 private:
  std::vector<torch::Tensor> trained_;
  std::unique_ptr<c10d::Reducer> reducer_;
};

}  // namespace concertina::train
