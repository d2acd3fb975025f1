#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "train/compute.h"
#include "train/supernet/map_memory.h"
#include "train/supernet/noise.h"
#include "train/tensors.h"

namespace concertina::train {

/// Collects batch-norm statistics over batches: the mean over batches of each channel's mean and unbiased
/// variance. Names are those of Weights ("<bn>.running_mean", "<bn>.running_var").
class StatisticsCollector {
 public:
  void add(const std::string& norm, const torch::Tensor& mean, const torch::Tensor& variance);
  /// Precondition: at least one batch was added.
  Tensors result() const;

 private:
  Tensors sums_;
  std::map<std::string, int> counts_;
};

/// Values of nodes.
using NodeValues = std::map<NodeId, torch::Tensor>;

/// How one forward pass differs from plain training.
struct ForwardOptions {
  const Tensors* statistics =
      nullptr;  ///< normalise with these (a sub-net's); otherwise with the batch's own
  StatisticsCollector* collector = nullptr;  ///< hand the batch's own statistics to it, used or not
  const NoiseScales* noise = nullptr;        ///< perturb the weights of prunable channels
  double noise_sign = 1;
  /// The sub-net's own arrays at its widths, in place of the shared ones' parts.
  const Tensors* own = nullptr;
  /// Begins at this node, or at the first that is no input. The values of earlier ones, of inputs but the
  /// first too, come from `before`.
  NodeId first = 0;
  const NodeValues* before = nullptr;
  const std::vector<bool>* keep = nullptr;  ///< by node: whether its value is left in `kept`
  NodeValues* kept = nullptr;
  Processes sharers = {};  ///< each has a part of the batch: its own statistics are those of all parts
};

/// One set of weights for all sub-nets of a graph; interprets the graph for the sub-net it is given. It
/// remembers no sub-net and no statistics.
class Supernet {
 public:
  /// `weights`: every trainable parameter at full size; copied. All of them are learned but those that keep
  /// roots and denominators away from 0. Fails if an op cannot be trained.
  static Result<Supernet> make(const Graph& graph, const Tensors& weights, const Compute& compute);

  const Graph& graph() const { return graph_; }
  const Compute& compute() const { return compute_; }

  /// inputs [n][c][h][w] fp32 on the device, the first so many of the network -> the values of `nodes`, fp32:
  /// vectors [n][c], or maps [n][c][h][w] of more than a pixel. Precondition: options.before has the other
  /// inputs, and those of `nodes` that come before options.first.
  std::vector<torch::Tensor> values(std::span<const torch::Tensor> inputs, std::span<const NodeId> nodes,
                                    const Subnet& subnet, const ForwardOptions& options = {}) const;

  /// Images, the first input -> the first output.
  torch::Tensor forward(const torch::Tensor& images, const Subnet& subnet,
                        const ForwardOptions& options = {}) const;

  /// All of a trainable parameter, as layers use it: with Compute::fake_int8, weights that have 8 bits in
  /// int8 are rounded.
  torch::Tensor whole(NodeId id, std::string_view parameter) const;

  /// The part of whole() that a sub-net uses; shares storage where the part is one piece.
  torch::Tensor active(NodeId id, const Parameter& parameter, const Subnet& subnet) const;

  /// How many outputs of a convolution a sub-net has, if they and the inputs that it reads are the first ones
  /// of the weights; otherwise nothing.
  std::optional<std::int64_t> first_outputs(NodeId conv, const Subnet& subnet) const;

  /// Memory of maps and kernels, used in one pass after the other.
  const MapMemory& memory() const { return memory_; }

  /// Leaf tensors that an optimiser may change in place.
  const Tensors& weights() const { return weights_; }

  /// Replaces the values of all weights. Precondition: same names and shapes.
  void assign(const Tensors& weights);

  /// Whether the node is a batch norm, or an addition of one, that only a ReLU reads, so that one pass can do
  /// all; without given statistics its value is then the ReLU's.
  bool rectified(NodeId id) const { return rectified_[id]; }

  /// Whether the node is a batch norm that only an addition reads, and that only a ReLU, so that one pass can
  /// do all three. Without given statistics its value is what it would have normalised, and the addition's is
  /// the ReLU's.
  bool added(NodeId id) const { return added_[id]; }

  /// Whether the node is a convolution that our own kernels compute.
  bool has_own_convolution(NodeId id) const { return own_convolution_[id]; }

  /// Whether a batch norm reads the node.
  bool normalized(NodeId id) const { return normalized_[id]; }

  /// Whether the node is the last layer, which is computed in fp32.
  bool is_classifier(NodeId id) const { return id == classifier_; }

 private:
  Supernet(const Graph& graph, const Compute& compute) : graph_(graph), compute_(compute) {}

  Graph graph_;
  Compute compute_;
  Tensors weights_;
  std::vector<bool> rectified_, added_, own_convolution_, normalized_;
  NodeId classifier_ = 0;
  MapMemory memory_ = std::make_shared<kernels::Workspace>();
};

}  // namespace concertina::train
