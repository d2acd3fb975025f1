#include "graph/explain.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/try.h"
#include "common/options.h"
#include "common/table.h"
#include "graph/branches.h"
#include "graph/cost.h"
#include "graph/resolution.h"
#include "onnx/network_file.h"
#include "report/network_picture.h"
#include "workstation/verbs.h"

namespace concertina::apps {
namespace {

struct ExplainOptions {
  std::string network;
  std::string input;
  std::string html;
  bool json = false;
};

double share(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

std::string percent(double value) {
  return fmt::format("{:.1f} %", 100 * value);
}

/// "32", or "32 x 4" where they are groups of 4.
std::string width_text(const ChannelDimension& dimension) {
  if (dimension.granule == 1) return std::to_string(dimension.channels);
  return fmt::format("{} x {}", dimension.channels, dimension.granule);
}

/// Why the full network cannot do without all channels of a free dimension; empty if it can.
std::string needed_by(const Graph& graph, int dimension) {
  const Result<Branch> branch = absent_without(graph, std::vector{dimension});
  return branch ? "" : branch.error().message;
}

std::vector<std::string> reasons(const Graph& graph, int d) {
  const ChannelDimension& dimension = graph.layout().dimensions[d];
  std::vector<std::string> list;
  for (const Reason& reason : dimension.couplings) list.push_back(reason.text);
  for (const Reason& reason : dimension.locks) list.push_back("locked: " + reason.text);
  if (dimension.locked()) return list;
  if (const std::string why = needed_by(graph, d); !why.empty()) list.push_back("never left out: " + why);
  return list;
}

std::vector<std::string> names(const Graph& graph, const std::vector<NodeId>& nodes) {
  std::vector<std::string> list;
  for (const NodeId id : nodes) list.push_back(graph.node(id).name);
  return list;
}

/// What the full network saves without a branch.
Cost saved_without(const Graph& graph, const Branch& branch) {
  const Subnet full = full_subnet(graph);
  const Cost whole = cost(graph, full), rest = cost(graph, leave_out(graph, full, branch).value_or(full));
  return {.macs = whole.macs - rest.macs, .parameters = whole.parameters - rest.parameters};
}

nlohmann::json branches_to_json(const Graph& graph) {
  nlohmann::json list = nlohmann::json::array();
  for (const Branch& branch : find_branches(graph)) {
    std::vector<std::string> dimensions;
    for (const int d : branch.dimensions) dimensions.push_back(graph.layout().dimensions[d].name);
    const Cost saved = saved_without(graph, branch);
    list.push_back({{"nodes", names(graph, branch.nodes)},
                    {"dimensions", dimensions},
                    {"skipped", branch.skipped},
                    {"macs", saved.macs},
                    {"parameters", saved.parameters}});
  }
  return list;
}

nlohmann::json to_json(const onnx::ImportedNetwork& imported) {
  const Graph& graph = imported.network.graph;
  const Cost whole = cost(graph, full_subnet(graph));
  nlohmann::json dimensions = nlohmann::json::array(), strange = nlohmann::json::array();
  for (const DimensionReport& report : explain(graph)) {
    const ChannelDimension& dimension = graph.layout().dimensions[report.dimension];
    nlohmann::json couplings = nlohmann::json::array(), locks = nlohmann::json::array();
    for (const Reason& reason : dimension.couplings) couplings.push_back(reason.text);
    for (const Reason& reason : dimension.locks) locks.push_back(reason.text);
    dimensions.push_back({{"name", dimension.name},
                          {"channels", dimension.channels},
                          {"features_per_channel", dimension.granule},
                          {"free", !dimension.locked()},
                          {"makers", names(graph, report.makers)},
                          {"readers", names(graph, report.readers)},
                          {"macs_at_stake", report.macs},
                          {"parameters_at_stake", report.parameters},
                          {"couplings", couplings},
                          {"locks", locks}});
  }
  for (const auto& [node, op, reason] : imported.opaque) {
    strange.push_back({{"node", node}, {"op", op}, {"reason", reason}});
  }
  return {{"nodes", graph.size()},
          {"macs", whole.macs},
          {"parameters", whole.parameters},
          {"dimensions", dimensions},
          {"branches", branches_to_json(graph)},
          {"resolutions", resolutions(graph)},
          {"not_understood", strange}};
}

/// Precondition: there are some.
void print_branches(const Graph& graph, const std::vector<Branch>& branches) {
  const Cost whole = cost(graph, full_subnet(graph));
  fmt::print("\n{} branches can be left out; a search leaves out those that a shortcut skips\n\n",
             branches.size());
  std::vector<std::vector<std::string>> rows = {{"from", "to", "skipped", "nodes", "MACs", "parameters"}};
  for (const Branch& branch : branches) {
    const Cost saved = saved_without(graph, branch);
    rows.push_back({graph.node(branch.nodes.front()).name, graph.node(branch.nodes.back()).name,
                    branch.skipped ? "yes" : "no", std::to_string(branch.nodes.size()),
                    percent(share(saved.macs, whole.macs)),
                    percent(share(saved.parameters, whole.parameters))});
  }
  fmt::print("{}", format_table(rows));
}

void print_resolutions(const Graph& graph) {
  if (const Status elastic = check_resolutions(graph); !elastic) {
    fmt::print("\nno smaller images: {}\n", elastic.error().message);
    return;
  }
  fmt::print("\na search also runs sub-nets on images of {} pixels\n", fmt::join(resolutions(graph), ", "));
}

void print_text(const onnx::ImportedNetwork& imported) {
  const Graph& graph = imported.network.graph;
  const Cost whole = cost(graph, full_subnet(graph));
  const ChannelLayout& layout = graph.layout();
  fmt::print("{} nodes, {:.2f} MMAC, {} parameters; {} of {} channel dimensions can shrink\n\n", graph.size(),
             static_cast<double>(whole.macs) / 1e6, whole.parameters, layout.free_dimensions,
             layout.dimensions.size());
  std::vector<std::vector<std::string>> rows = {
      {"dimension", "", "channels", "made by", "read by", "MACs at stake", "parameters at stake"}};
  const std::vector<DimensionReport> reports = explain(graph);
  for (const DimensionReport& report : reports) {
    const ChannelDimension& dimension = layout.dimensions[report.dimension];
    const bool locked = dimension.locked();
    rows.push_back({dimension.name, locked ? "locked" : "free", width_text(dimension),
                    std::to_string(report.makers.size()), std::to_string(report.readers.size()),
                    locked ? "-" : percent(share(report.macs, whole.macs)),
                    locked ? "-" : percent(share(report.parameters, whole.parameters))});
  }
  fmt::print("{}\n", format_table(rows));
  for (const DimensionReport& report : reports) {
    const std::vector<std::string> list = reasons(graph, report.dimension);
    if (list.empty()) continue;
    fmt::print("{}\n", layout.dimensions[report.dimension].name);
    for (const std::string& reason : list) fmt::print("  {}\n", reason);
  }
  if (const auto branches = find_branches(graph); !branches.empty()) print_branches(graph, branches);
  print_resolutions(graph);
  for (const auto& [node, op, reason] : imported.opaque) {
    fmt::print("\nnot understood: node '{}' ({}): {}\n", node, op, reason);
  }
}

report::NetworkPicture picture(const Graph& graph, const std::string& title) {
  report::NetworkPicture picture{.title = title, .nodes = {}, .dimensions = {}};
  const ChannelLayout& layout = graph.layout();
  const Cost whole = cost(graph, full_subnet(graph));
  for (const DimensionReport& report : explain(graph)) {
    const ChannelDimension& dimension = layout.dimensions[report.dimension];
    picture.dimensions.push_back({.name = dimension.name,
                                  .channels = dimension.channels,
                                  .locked = dimension.locked(),
                                  .share = share(report.macs, whole.macs),
                                  .reasons = reasons(graph, report.dimension)});
  }
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    report::PictureNode drawn{.name = node.name,
                              .kind = std::string(type_name(node.op)),
                              .shape = to_string(graph.shape(id)),
                              .inputs = node.inputs,
                              .segments = {}};
    for (const auto& [dimension, repeat] : graph.axis(id)) {
      drawn.segments.push_back(
          {.dimension = dimension, .features = layout.dimensions[dimension].channels * repeat});
    }
    picture.nodes.push_back(std::move(drawn));
  }
  return picture;
}

Status explain_network(const ExplainOptions& options) {
  ASSIGN_OR_RETURN(const auto input, parse_shape(options.input));
  ASSIGN_OR_RETURN(const onnx::ImportedNetwork imported,
                   onnx::import_network(options.network, {.input = input, .opaque = true}));
  if (!options.html.empty()) {
    const std::string title = std::filesystem::path(options.network).filename().string();
    RETURN_IF_ERROR(write_file(options.html, report::to_html(picture(imported.network.graph, title))));
  }
  if (options.json) {
    fmt::print("{}\n", to_json(imported).dump(2));
  } else {
    print_text(imported);
  }
  return {};
}

}  // namespace

void add_explain_verb(CLI::App& program, Action& chosen) {
  CLI::App* verb = add_verb(program, "explain",
                            "Which channels of a network can shrink, what that saves, and why others cannot",
                            "  concertina-train explain net.onnx\n"
                            "  concertina-train explain net.onnx --html net.html\n");
  const auto options = std::make_shared<ExplainOptions>();
  verb->add_option("NET", options->network, "ONNX file")->required();
  verb->add_option("--input", options->input, "shape of the (first) input, if the file leaves it open")
      ->type_name("CxHxW");
  verb->add_option("--html", options->html, "also draw the network into this file")->type_name("FILE");
  add_json_option(verb, options->json);
  verb->callback([&chosen, options] { chosen = [options] { return explain_network(*options); }; });
}

}  // namespace concertina::apps
