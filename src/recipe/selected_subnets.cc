#include "recipe/selected_subnets.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/reader.h"
#include "base/try.h"
#include "graph/cost.h"

namespace concertina::recipe {

Result<std::vector<Subnet>> parse_subnets(std::string_view text, const Graph& graph) {
  const Reader list = Reader::of_json(text);
  std::vector<Subnet> subnets;
  for (const Reader& entry : list.entries(1)) subnets.push_back(entry["widths"].subnet());
  RETURN_IF_ERROR(list.status());
  for (std::size_t i = 0; i < subnets.size(); ++i) {
    RETURN_IF_ERROR(check_subnet(graph, subnets[i]));
    if (i == 0 || (is_nested(subnets[i], subnets[i - 1]) && subnets[i] != subnets[i - 1])) continue;
    return Error{fmt::format("sub-net {} is not a part of {}; order them from largest to smallest",
                             to_string(subnets[i]), to_string(subnets[i - 1]))};
  }
  if (subnets[0] != full_subnet(graph)) return Error{"the first sub-net must be the full network"};
  return subnets;
}

Status write_subnets(const std::filesystem::path& path, const Graph& graph,
                     const std::vector<Subnet>& subnets) {
  nlohmann::json list = nlohmann::json::array();
  for (const Subnet& subnet : subnets) {
    const Cost c = cost(graph, subnet);
    list.push_back({{"widths", to_string(subnet)}, {"macs", c.macs}, {"parameters", c.parameters}});
  }
  return write_file(path, list.dump(1) + "\n");
}

Result<std::vector<Subnet>> read_subnets(const std::filesystem::path& path, const Graph& graph) {
  return read_as(path, [&](std::string_view text) { return parse_subnets(text, graph); });
}

}  // namespace concertina::recipe
