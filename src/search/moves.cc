#include "search/moves.h"

#include <algorithm>

#include "graph/resolution.h"

namespace concertina::search {
namespace {

/// Those that a shortcut skips and whose dimensions may shrink. Without a block that has a projection, only a
/// 1x1 convolution would lie between two sizes of maps.
std::vector<Branch> removable_branches(const Graph& graph, const ChannelGroups& groups) {
  std::vector<Branch> branches = find_branches(graph);
  std::erase_if(branches, [&](const Branch& branch) {
    return !branch.skipped || std::any_of(branch.dimensions.begin(), branch.dimensions.end(),
                                          [&](int d) { return groups.is_whole(d); });
  });
  return branches;
}

}  // namespace

Moves::Moves(const Graph& graph, const ChannelGroups& groups, const Axes& axes, int floor_groups)
    : graph_(graph),
      groups_(groups),
      floor_groups_(floor_groups),
      branches_(axes.depth ? removable_branches(graph, groups) : std::vector<Branch>()),
      resolutions_(axes.resolution ? resolutions(graph) : std::vector<int>()) {}

std::size_t Moves::count() const {
  return static_cast<std::size_t>(groups_.dimensions()) + branches_.size() + (resolutions_.empty() ? 0 : 1);
}

std::vector<std::optional<Subnet>> Moves::of(const Subnet& subnet) const {
  std::vector<std::optional<Subnet>> smaller;
  for (int d = 0; d < groups_.dimensions(); ++d) smaller.push_back(groups_.shrink(subnet, d, floor_groups_));
  for (const Branch& branch : branches_) smaller.push_back(leave_out(graph_, subnet, branch));
  if (!resolutions_.empty()) smaller.push_back(at_next_resolution(subnet));
  return smaller;
}

std::optional<Subnet> Moves::at_next_resolution(const Subnet& subnet) const {
  const auto is_lower = [&](int one) { return subnet.resolution == 0 || one < subnet.resolution; };
  const auto next = std::find_if(resolutions_.begin(), resolutions_.end(), is_lower);
  if (next == resolutions_.end()) return std::nullopt;
  return Subnet{subnet.widths, *next};
}

}  // namespace concertina::search
