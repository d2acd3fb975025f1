#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace concertina {

/// The lattice that a search walks: every free dimension is cut into groups of channels, equal ones where
/// their number divides the channels, and a step removes one group.
class ChannelGroups {
 public:
  /// `channels`: of each dimension. `multiple`: widths are multiples of it, but all of a dimension's channels
  /// and the widths of dimensions that have less than two such multiples; then a width fills the vectors of
  /// the kernels that compute it.
  ChannelGroups(int groups, std::vector<int> channels, int multiple = 1)
      : groups_(groups),
        channels_(std::move(channels)),
        multiple_(multiple),
        whole_(channels_.size(), false) {}

  /// From now on dimension `d` always has all its channels: it is one group.
  void keep_whole(int d) { whole_[d] = true; }
  bool is_whole(int d) const { return whole_[d]; }

  int groups() const { return groups_; }
  int multiple() const { return multiple_; }
  int dimensions() const { return static_cast<int>(channels_.size()); }

  /// Channels of `kept` groups, rounded up, to a multiple too. Precondition: 1 <= kept <= groups().
  int width(int d, int kept) const;

  /// Where the groups of a dimension end, rising; fewer than groups() if there are too few channels
  /// or multiples.
  std::vector<int> ends(int d) const;

  /// One group of dimension `d` less, or nothing if that would leave less than `floor_groups` of them.
  std::optional<Subnet> shrink(const Subnet& subnet, int d, int floor_groups) const;

 private:
  int groups_;
  std::vector<int> channels_;
  int multiple_;
  std::vector<bool> whole_;  ///< by dimension
};

/// Cuts each free dimension into `groups` groups, of multiples of `multiple` channels where there are as
/// many. Fails if either is less than 1.
Result<ChannelGroups> divide_channels(const Graph& graph, int groups, int multiple = 1);

/// The free dimensions that a name means: that of the dimension or of a node that makes its channels; with a
/// * at the end, all that begin with it.
std::vector<int> find_dimensions(const Graph& graph, std::string_view name);

/// Every dimension at the same number of groups, as uniformly slimmable networks have it.
Subnet uniform_subnet(const ChannelGroups& groups, int kept_groups);

}  // namespace concertina
