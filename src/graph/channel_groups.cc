#include "graph/channel_groups.h"

#include <fmt/format.h>

namespace concertina {

std::optional<Subnet> ChannelGroups::shrink(const Subnet& subnet, int d, int floor_groups) const {
  const auto i = static_cast<std::size_t>(d);
  if (subnet.widths[i] - unit[i] < floor_groups * unit[i]) return std::nullopt;
  Subnet smaller = subnet;
  smaller.widths[i] -= unit[i];
  return smaller;
}

Result<ChannelGroups> divide_channels(const Graph& graph, int groups) {
  if (groups < 1) return Error{fmt::format("{} channel groups are asked for; at least 1 is needed", groups)};
  ChannelGroups result;
  for (int d = 0; d < graph.layout().free_dimensions; ++d) {
    const ChannelDimension& dimension = graph.layout().dimensions[static_cast<std::size_t>(d)];
    if (dimension.channels % groups != 0) {
      return Error{
          fmt::format("the {} channels of '{}' cannot be cut into {} equal groups; choose a number of "
                      "groups that divides them",
                      dimension.channels, dimension.name, groups)};
    }
    result.unit.push_back(dimension.channels / groups);
  }
  return result;
}

Subnet uniform_subnet(const ChannelGroups& groups, int kept_groups) {
  Subnet subnet;
  for (const int unit : groups.unit) subnet.widths.push_back(unit * kept_groups);
  return subnet;
}

}  // namespace concertina
