#pragma once

#include <span>
#include <string>
#include <vector>

#include "graph/channels.h"

namespace concertina {

struct Node;

/// Finds which channels must be equal and aligned: union-find over the dimensions that layers produce. Each
/// op states its rule in terms of these calls.
class ChannelAnalysis {
 public:
  explicit ChannelAnalysis(std::span<const Node> nodes) : nodes_(nodes) {}

  /// An axis of `channels` channels that `producer` makes anew.
  ChannelAxis produce(NodeId producer, int channels);

  /// `producer` makes the channels of an existing axis again, one for one.
  void reproduce(const ChannelAxis& axis, NodeId producer, std::string why);

  /// The channels of both axes become the same. If they are cut differently they are locked instead.
  void couple(const ChannelAxis& a, const ChannelAxis& b, NodeId via);

  /// Every dimension of the axis keeps all its channels.
  void lock(const ChannelAxis& axis, NodeId node, std::string why);

  /// Numbers the dimensions, free ones first, and rewrites the axes in those numbers.
  ChannelLayout finish(std::vector<ChannelAxis> axes);

 private:
  int root(int dimension) const;
  void unite(int a, int b, NodeId via);

  std::span<const Node> nodes_;
  std::vector<ChannelDimension> dimensions_;
  mutable std::vector<int> parent_;
};

/// What an op's channel rule may look at.
struct ChannelContext {
  ChannelAnalysis& analysis;
  NodeId node;
  std::string_view name;
  std::span<const ChannelAxis> inputs;
};

}  // namespace concertina
