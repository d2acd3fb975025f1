#pragma once

#include <optional>
#include <vector>

#include "graph/branches.h"
#include "graph/channel_groups.h"

namespace concertina::search {

/// The axes along which sub-nets differ, besides widths.
struct Axes {
  bool depth = false;       ///< they may leave out branches (graph/branches.h)
  bool resolution = false;  ///< they may run on smaller images (graph/resolution.h)
};

/// The ways to make a sub-net smaller: a group less of a dimension, a branch less, the next lower resolution.
class Moves {
 public:
  /// Keeps the references.
  Moves(const Graph& graph, const ChannelGroups& groups, const Axes& axes, int floor_groups);

  std::size_t count() const;

  /// What each makes of the sub-net: first the dimensions, then the branches, then the resolution. None: it
  /// cannot go further.
  std::vector<std::optional<Subnet>> of(const Subnet& subnet) const;

 private:
  std::optional<Subnet> at_next_resolution(const Subnet& subnet) const;

  const Graph& graph_;
  const ChannelGroups& groups_;
  int floor_groups_;
  std::vector<Branch> branches_;  ///< that may be left out
  std::vector<int> resolutions_;  ///< that may be taken, falling
};

}  // namespace concertina::search
