#pragma once

#include <optional>
#include <vector>

#include "graph/graph.h"

namespace concertina {

/// The lattice that a search walks: every free dimension is cut into groups of channels, equal ones where
/// their number divides the channels, and a step removes one group.
class ChannelGroups {
 public:
  /// `channels`: of each dimension.
  ChannelGroups(int groups, std::vector<int> channels) : groups_(groups), channels_(std::move(channels)) {}

  int groups() const { return groups_; }
  int dimensions() const { return static_cast<int>(channels_.size()); }

  /// Channels of `kept` groups, rounded up. Precondition: 1 <= kept <= groups().
  int width(int d, int kept) const;

  /// Where the groups of a dimension end, rising; fewer than groups() if there are too few channels.
  std::vector<int> ends(int d) const;

  /// One group of dimension `d` less, or nothing if that would leave less than `floor_groups` of them.
  std::optional<Subnet> shrink(const Subnet& subnet, int d, int floor_groups) const;

  /// One group of dimension `d` more, or nothing if it has all of them.
  std::optional<Subnet> grow(const Subnet& subnet, int d) const;

 private:
  int groups_;
  std::vector<int> channels_;
};

/// Cuts each free dimension into `groups` groups. Fails if that is no number of groups.
Result<ChannelGroups> divide_channels(const Graph& graph, int groups);

/// Every dimension at the same number of groups, as uniformly slimmable networks have it.
Subnet uniform_subnet(const ChannelGroups& groups, int kept_groups);

}  // namespace concertina
