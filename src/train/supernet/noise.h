#pragma once

#include <vector>

#include "graph/graph.h"
#include "train/torch.h"

namespace concertina::train {

/// Trainable noise scales a, one per channel of each free dimension (arXiv:2009.05681). A weight W of output
/// channel c is perturbed to W + sign * a[c] * s[c] * n with n ~ N(0, 1) from LibTorch's present seed and
/// s[c] the root mean square of the channel's active weights; neither s nor n carries a gradient. The layer's
/// deviation in place of s[c], as published, would call channels of small weights sensitive: behind a batch
/// norm their gradients are large.
class NoiseScales {
 public:
  NoiseScales(const Graph& graph, double initial, torch::Device device);

  /// The perturbed weights of a node; unchanged if its output channels are locked.
  /// `weight` holds the active part for `subnet`, output channels first. `sign`: of the noise, 1 or -1.
  torch::Tensor perturb(const torch::Tensor& weight, const Graph& graph, NodeId id, const Subnet& subnet,
                        double sign = 1) const;

  /// mean(log(|a| + 1e-8)) over all channels: what the log-barrier variant rewards.
  torch::Tensor mean_log() const;

  /// [dimension] -> leaf tensor [channels]
  const std::vector<torch::Tensor>& scales() const { return scales_; }

 private:
  std::vector<torch::Tensor> scales_;
};

}  // namespace concertina::train
