#include "search/search_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "graph/cost.h"

namespace concertina::search {

Result<double> checked_cost(const CostFunction& cost, const Subnet& subnet) {
  const double value = cost(subnet);
  if (value > 0 && std::isfinite(value)) return value;
  return Error{fmt::format("the cost of sub-net {} is {}; check the latency table: costs are positive",
                           to_string(subnet), value)};
}

CostFunction cost_function(const Graph& graph, const SearchOptions& options) {
  if (options.cost) return options.cost;
  return [&graph](const Subnet& subnet) { return static_cast<double>(cost(graph, subnet).macs); };
}

Status check_options(const SearchOptions& options) {
  if (options.floor_groups < 1) {
    return Error{fmt::format("floor_groups is {}; a dimension must keep at least 1", options.floor_groups)};
  }
  if (options.refresh_every < 1) {
    return Error{fmt::format("refresh_every is {}; 1 is the smallest", options.refresh_every)};
  }
  if (!(options.prior >= 0 && std::isfinite(options.prior))) {
    return Error{fmt::format("prior is {}; give a weight of 0 or more", options.prior)};
  }
  if (!(options.tilt >= 0 && options.tilt <= 1)) {
    return Error{fmt::format("tilt is {}; give a number from 0 (MACs) to 1 (parameters)", options.tilt)};
  }
  if (!(options.fine_tune_below >= 0 && options.fine_tune_below <= 1)) {
    return Error{fmt::format("fine_tune_below is {}; give a share of the images, from 0 to 1",
                             options.fine_tune_below)};
  }
  return {};
}

Fingerprint search_fingerprint(const Graph& graph, const ChannelGroups& groups, const SearchOptions& options,
                               std::string_view context) {
  std::vector<std::string> dimensions;
  for (int d = 0; d < graph.layout().free_dimensions; ++d) {
    const ChannelDimension& dimension = graph.layout().dimensions[d];
    dimensions.push_back(fmt::format("{}:{}", dimension.name, dimension.channels));
  }
  const Subnet full = full_subnet(graph);
  Fingerprint fingerprint = {
      {"network's dimensions", fmt::format("{}", fmt::join(dimensions, " "))},
      {"network's MACs", fmt::format("{}", cost(graph, full).macs)},
      {"full network's cost", fmt::format("{}", cost_function(graph, options)(full))},
      {"groups", fmt::format("{}", groups.groups())},
      {"multiple", fmt::format("{}", groups.multiple())},
      {"criterion", options.criterion == Criterion::accuracy ? "accuracy" : "loss_per_cost"},
      {"end_macs", fmt::format("{}", options.end_macs)},
      {"prior", fmt::format("{} tilt {}", options.prior, options.tilt)},
      {"floor_groups", fmt::format("{}", options.floor_groups)},
      {"fine_tune_below", fmt::format("{}", options.fine_tune_below)},
      {"refresh_every", fmt::format("{}", options.refresh_every)},
      {"context", std::string(context)}};
  // Journals of older searches have no such entries.
  if (options.axes.depth) fingerprint["depth"] = "elastic";
  if (options.axes.resolution) fingerprint["resolution"] = "elastic";
  return fingerprint;
}

}  // namespace concertina::search
