#include "recipe/selected_subnets.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/try.h"
#include "graph/cost.h"

namespace concertina::recipe {

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
  ASSIGN_OR_RETURN(const std::string text, read_file(path));
  const nlohmann::json list = nlohmann::json::parse(text, nullptr, false);
  if (!list.is_array()) return Error{fmt::format("'{}' is not a JSON list of sub-nets", path.string())};
  std::vector<Subnet> subnets;
  for (const auto& entry : list) {
    const auto* widths = entry.is_object() && entry.contains("widths")
                             ? entry["widths"].get_ptr<const nlohmann::json::string_t*>()
                             : nullptr;
    if (!widths) return Error{fmt::format("'{}': entry {} has no widths", path.string(), subnets.size() + 1)};
    const auto in_file = [&path](const Error& error) {
      return Error{fmt::format("'{}': {}", path.string(), error.message)};
    };
    Result<Subnet> parsed = parse_subnet(*widths);
    if (!parsed) return in_file(parsed.error());
    Subnet subnet = *std::move(parsed);
    if (const Status fits = check_subnet(graph, subnet); !fits) return in_file(fits.error());
    if (!subnets.empty() && (!is_nested(subnet, subnets.back()) || subnet == subnets.back())) {
      return Error{fmt::format("'{}': sub-net {} is not a part of {}; order them from largest to smallest",
                               path.string(), to_string(subnet), to_string(subnets.back()))};
    }
    subnets.push_back(std::move(subnet));
  }
  if (subnets.empty() || subnets[0] != full_subnet(graph)) {
    return Error{fmt::format("'{}': the first sub-net must be the full network", path.string())};
  }
  return subnets;
}

}  // namespace concertina::recipe
