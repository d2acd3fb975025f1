#pragma once

#include <optional>
#include <vector>

#include "train/supernet/supernet.h"

namespace concertina::train {

/// Activations of one sub-net on fixed batches, so that evaluating another one, which differs in a few
/// dimensions, can begin at the first layer that those dimensions touch. A search asks for many such
/// neighbours.
class ActivationCache {
 public:
  explicit ActivationCache(const Graph& graph);

  /// Forgets what it has; the passes with recording(0), recording(1), ... are then those of `subnet`.
  void record(const Subnet& subnet);
  void clear() { subnet_.reset(); }

  ForwardOptions recording(std::size_t batch);

  /// For a pass of any sub-net over the same batch with the same weights.
  ForwardOptions resuming(const Subnet& subnet, std::size_t batch) const;

  /// The first node that such a pass computes.
  NodeId first_changed(const Subnet& subnet) const;

 private:
  const Graph& graph_;
  std::vector<NodeId> first_touched_;  ///< by dimension
  std::vector<bool> wanted_;           ///< by node: whether a pass may begin after it and need it
  std::optional<Subnet> subnet_;       ///< whose activations these are
  std::vector<NodeValues> batches_;
};

}  // namespace concertina::train
