#pragma once

#include <span>
#include <string>
#include <vector>

#include "concertina/subnet.h"

namespace concertina {

/// Index of a node in its graph's topological list.
using NodeId = int;

/// Part of a channel axis: the channels of one dimension, each standing for `repeat` consecutive features (49
/// after a 7x7 map was flattened, 1 otherwise).
struct Segment {
  int dimension = 0;
  int repeat = 1;

  friend bool operator==(const Segment&, const Segment&) = default;
};

/// The channel axis of a value: its segments in order. More than one comes from a concatenation.
using ChannelAxis = std::vector<Segment>;

/// Why a dimension spans several layers, or why it cannot shrink.
struct Reason {
  NodeId node = 0;   ///< the node that imposes it
  std::string text;  ///< a sentence that names the nodes concerned
};

/// A set of channels that shrink together because layers need them equal and aligned.
struct ChannelDimension {
  std::string name;  ///< of its first producer
  int channels = 0;
  int granule =
      1;  ///< features that a channel stands for in its producers: of a grouped convolution, a group's
  std::vector<NodeId> producers;  ///< nodes whose weights make these channels, in topological order
  std::vector<Reason> couplings;  ///< why the producers share the dimension
  std::vector<Reason> locks;      ///< why it keeps all its channels; empty if it is free

  bool locked() const { return !locks.empty(); }
};

/// A run of features of an axis.
struct FeatureRange {
  int begin = 0;
  int count = 0;
};

/// The channel dimensions of a graph and the axis of every value. Free dimensions come first and are what a
/// Subnet counts: widths[d] belongs to dimensions[d].
struct ChannelLayout {
  std::vector<ChannelDimension> dimensions;
  std::vector<ChannelAxis> axes;  ///< by NodeId
  int free_dimensions = 0;

  int active_channels(int dimension, const Subnet& subnet) const {
    return dimension < free_dimensions ? subnet.widths[dimension] : dimensions[dimension].channels;
  }
  /// Features of the axis that the sub-net keeps.
  int active_features(const ChannelAxis& axis, const Subnet& subnet) const;

  /// The kept features, one range per segment, as positions in the full axis.
  std::vector<FeatureRange> active_ranges(const ChannelAxis& axis, const Subnet& subnet) const;

  /// Where the full axis' features go when the channels of each dimension take the order
  /// orders[dimension] (new position -> old channel): new position -> old feature.
  /// A dimension whose order is empty stays as it is.
  std::vector<int> feature_order(const ChannelAxis& axis, std::span<const std::vector<int>> orders) const;
};

}  // namespace concertina
