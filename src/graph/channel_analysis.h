#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "graph/channels.h"

namespace concertina {

struct Node;

/// How the channels that one node makes are cut into dimensions, because nodes behind it take or need only a
/// part of them, or only several at once.
struct Cut {
  struct Part {
    int granule = 1;  ///< features that one channel of the dimension stands for
    std::vector<Reason> reasons;
  };
  std::map<int, Part> parts = {{0, Part()}};  ///< by first feature; the first is 0
};

/// By the node that makes the channels; a node that is not here makes one dimension.
using Cuts = std::map<NodeId, Cut>;

/// Finds which channels must be equal and aligned: union-find over the dimensions that layers produce. Each
/// op states its rule in terms of these calls. Where a rule needs a dimension cut that is whole, the analysis
/// notes the cut, goes on with anything harmless, and has to be done again with it.
class ChannelAnalysis {
 public:
  /// `cuts` of earlier rounds. `last`: no more of them; what does not fit is locked.
  ChannelAnalysis(std::span<const Node> nodes, Cuts cuts, bool last)
      : nodes_(nodes), cuts_(std::move(cuts)), last_(last) {}

  /// An axis of `channels` channels that `producer` makes anew.
  ChannelAxis produce(NodeId producer, int channels);

  /// `producer` makes the channels of an existing axis again, one for one.
  void reproduce(const ChannelAxis& axis, NodeId producer, std::string why);

  /// The channels of both axes become the same. Precondition: the axes have as many features. `why`: a
  /// sentence; none: `via` combines them.
  void couple(const ChannelAxis& a, const ChannelAxis& b, NodeId via, const std::string& why = {});

  /// The features [begin, end) of an axis.
  ChannelAxis slice(const ChannelAxis& axis, int begin, int end, NodeId via);

  /// `producer` makes `out` features of every `in` of the axis, whose channels then go in such groups.
  ChannelAxis regroup(const ChannelAxis& axis, int in, int out, NodeId producer);

  /// Every dimension of the axis keeps all its channels.
  void lock(const ChannelAxis& axis, NodeId node, std::string why);

  /// Features of an axis at full size.
  int features(const ChannelAxis& axis) const;

  /// Whether cuts were noted that this round did not have.
  bool cut_again() const { return cut_again_; }
  Cuts take_cuts() { return std::move(cuts_); }

  /// Numbers the dimensions, free ones first, and rewrites the axes in those numbers.
  ChannelLayout finish(std::vector<ChannelAxis> axes);

 private:
  /// Where a dimension comes from.
  struct Origin {
    NodeId producer = 0;
    int first_feature = 0;
    int granule = 1;
  };

  int root(int dimension) const;
  void unite(int a, int b, NodeId via, const std::string& why);
  int features(const Segment& segment) const;

  /// Notes a cut `at` features into the segment, or that its channels go `by` at once. False if that cannot
  /// be.
  bool cut(const Segment& segment, int at, Reason why);
  bool coarsen(const Segment& segment, int by, Reason why);

  std::span<const Node> nodes_;
  Cuts cuts_;
  bool last_ = false;
  bool cut_again_ = false;
  std::vector<ChannelDimension> dimensions_;
  std::vector<Origin> origins_;  ///< by dimension
  mutable std::vector<int> parent_;
};

/// What an op's channel rule may look at.
struct ChannelContext {
  ChannelAnalysis& analysis;
  NodeId node;
  std::string_view name;
  std::span<const ChannelAxis> inputs;
};

/// The channels of a graph's nodes. Precondition: the nodes are in topological order and their shapes fit.
ChannelLayout analyse_channels(std::span<const Node> nodes, std::span<const NodeId> outputs);

}  // namespace concertina
