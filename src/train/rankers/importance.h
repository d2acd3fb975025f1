#pragma once

#include <functional>
#include <vector>

#include "graph/graph.h"
#include "train/torch.h"

namespace concertina::train {

/// Importance of every channel, by free dimension; larger is kept longer.
using Importance = std::vector<std::vector<double>>;

/// For each dimension the channels from most to least important; equal ones keep their order.
std::vector<std::vector<int>> importance_order(const Importance& importance);

/// Adds up scores that layers give to the channels they make or read.
class ImportanceSum {
 public:
  /// `by_mean`: each layer's scores are divided by their mean first, so that none outweighs the others of its
  /// dimension by scale.
  explicit ImportanceSum(const Graph& graph, bool by_mean = true);

  /// `scores`: one for each channel of the axis, locked ones included.
  void add(const ChannelAxis& axis, const torch::Tensor& scores);

  Importance result() const;

 private:
  const Graph& graph_;
  bool by_mean_;
  std::vector<torch::Tensor> sums_;
};

/// Calls visit(node, name of its weights) for each convolution and linear layer that has weights of its own,
/// so that shared ones count once.
void for_each_layer(const Graph& graph, const std::function<void(NodeId, const std::string& weight)>& visit);

}  // namespace concertina::train
