#pragma once

#include <optional>
#include <vector>

#include "graph/graph.h"

namespace concertina {

/// The lattice that a search walks: every free dimension is cut into equal groups of channels, and a step
/// removes one group. Its sub-nets have widths that are multiples of unit[d].
struct ChannelGroups {
  std::vector<int> unit;  ///< channels per group, by free dimension

  /// One group of dimension `d` less, or nothing if that would leave less than `floor_groups` of them.
  std::optional<Subnet> shrink(const Subnet& subnet, int d, int floor_groups) const;
};

/// Cuts each free dimension into `groups` groups. Fails, naming the dimension, if the groups do not divide
/// it.
Result<ChannelGroups> divide_channels(const Graph& graph, int groups);

/// Every dimension at the same number of groups (of `groups`), as uniformly slimmable networks have it.
Subnet uniform_subnet(const ChannelGroups& groups, int kept_groups);

}  // namespace concertina
