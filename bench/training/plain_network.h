#pragma once

#include "graph/graph.h"
#include "train/tensors.h"

namespace concertina::bench {

/// A network as one writes it with LibTorch alone, the peer of our training: channels-last maps, its own
/// convolutions and batch norms, ReLU in place, and sub-nets as slices of the weights (Yu et al. 2019). With
/// bf16, convolutions cast their inputs and weights as autocast does.
class PlainNetwork {
 public:
  /// Fails if the graph has an op that the built-in networks do not have.
  static Result<PlainNetwork> make(const Graph& graph, const train::Tensors& weights, torch::Dtype dtype);

  /// Images [n][c][h][w] fp32 -> logits [n][classes] fp32. Batch norms use the batch's statistics.
  torch::Tensor forward(const torch::Tensor& images, const Subnet& subnet) const;

  /// Leaf tensors.
  const train::Tensors& weights() const { return weights_; }

 private:
  PlainNetwork(const Graph& graph, torch::Dtype dtype) : graph_(graph), dtype_(dtype) {}

  /// The slice of a node's array.
  torch::Tensor slice(NodeId id, const char* name, const Subnet& subnet) const;
  torch::Tensor value(NodeId id, const std::vector<torch::Tensor>& inputs, const Subnet& subnet) const;

  Graph graph_;
  torch::Dtype dtype_;
  train::Tensors weights_;
};

}  // namespace concertina::bench
