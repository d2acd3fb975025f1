#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace concertina::recipe {

/// select/subnets.json: the sub-nets that joint training gets, largest first.
Status write_subnets(const std::filesystem::path& path, const Graph& graph,
                     const std::vector<Subnet>& subnets);

/// Of each entry only "widths" is read. Fails unless every sub-net fits the graph and each contains the next.
Result<std::vector<Subnet>> read_subnets(const std::filesystem::path& path, const Graph& graph);

/// The same of the file's text.
Result<std::vector<Subnet>> parse_subnets(std::string_view text, const Graph& graph);

}  // namespace concertina::recipe
