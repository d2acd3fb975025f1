#include "graph/channel_groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace concertina {

int ChannelGroups::width(int d, int kept) const {
  const int all = channels_[d];
  if (whole_[d]) return all;
  const auto channels = static_cast<int>((std::int64_t{all} * kept + groups_ - 1) / groups_);
  if (all / 2 < multiple_) return channels;
  return std::min(all, (channels + multiple_ - 1) / multiple_ * multiple_);
}

std::vector<int> ChannelGroups::ends(int d) const {
  std::vector<int> ends;
  for (int kept = 1; kept <= groups_; ++kept) ends.push_back(width(d, kept));
  ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
  return ends;
}

std::optional<Subnet> ChannelGroups::shrink(const Subnet& subnet, int d, int floor_groups) const {
  const std::vector<int> ends = this->ends(d);
  Subnet smaller = subnet;
  int& width = smaller.widths[d];
  const auto here = std::lower_bound(ends.begin(), ends.end(), width);
  if (here == ends.begin() || *std::prev(here) < this->width(d, floor_groups)) return std::nullopt;
  width = *std::prev(here);
  return smaller;
}

Result<ChannelGroups> divide_channels(const Graph& graph, int groups, int multiple) {
  if (groups < 1) return Error{fmt::format("{} channel groups are asked for; at least 1 is needed", groups)};
  if (multiple < 1)
    return Error{fmt::format("multiples of {} channels are asked for; at least 1 is needed", multiple)};
  return ChannelGroups(groups, full_subnet(graph).widths, multiple);
}

std::vector<int> find_dimensions(const Graph& graph, std::string_view name) {
  const bool begins = name.ends_with('*');
  if (begins) name.remove_suffix(1);
  const auto is_meant = [&](std::string_view one) { return begins ? one.starts_with(name) : one == name; };
  std::vector<int> found;
  for (int d = 0; d < graph.layout().free_dimensions; ++d) {
    const ChannelDimension& dimension = graph.layout().dimensions[d];
    const bool made = std::any_of(dimension.producers.begin(), dimension.producers.end(),
                                  [&](NodeId id) { return is_meant(graph.node(id).name); });
    if (made || is_meant(dimension.name)) found.push_back(d);
  }
  return found;
}

Subnet uniform_subnet(const ChannelGroups& groups, int kept_groups) {
  Subnet subnet;
  for (int d = 0; d < groups.dimensions(); ++d) subnet.widths.push_back(groups.width(d, kept_groups));
  return subnet;
}

}  // namespace concertina
