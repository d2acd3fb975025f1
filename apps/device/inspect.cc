#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <span>

#include "base/try.h"
#include "common/table.h"
#include "device/verbs.h"
#include "graph/cost.h"
#include "onnx/model_file.h"

namespace concertina::apps {
namespace {

struct Options {
  std::string model;
  bool json = false;
};

std::string percent(double share) {
  return fmt::format("{:.2f} %", 100 * share);
}

nlohmann::json value_json(const Graph& graph, NodeId id) {
  const auto [channels, height, width] = graph.shape(id);
  return {{"name", graph.node(id).name}, {"shape", {channels, height, width}}};
}

nlohmann::json to_json(const onnx::ModelFile& model) {
  const Graph& graph = model.network.graph;
  nlohmann::json dimensions = nlohmann::json::array(), subnets = nlohmann::json::array();
  for (const ChannelDimension& dimension : graph.layout().dimensions) {
    nlohmann::json couplings = nlohmann::json::array(), locks = nlohmann::json::array();
    for (const Reason& reason : dimension.couplings) couplings.push_back(reason.text);
    for (const Reason& reason : dimension.locks) locks.push_back(reason.text);
    dimensions.push_back({{"name", dimension.name},
                          {"channels", dimension.channels},
                          {"features_per_channel", dimension.granule},
                          {"couplings", couplings},
                          {"locks", locks}});
  }
  for (const onnx::SubnetRecord& record : model.subnets) {
    const Cost c = cost(graph, record.subnet);
    nlohmann::json entry = {{"widths", to_string(record.subnet)},
                            {"parameters", c.parameters},
                            {"macs", c.macs},
                            {"validation_top1", record.validation_accuracy}};
    if (record.test_accuracy) entry["test_top1"] = *record.test_accuracy;
    subnets.push_back(entry);
  }
  const Shape& input = graph.shape(graph.input());
  nlohmann::json inputs = nlohmann::json::array(), outputs = nlohmann::json::array();
  for (NodeId id = 0; id < graph.inputs(); ++id) inputs.push_back(value_json(graph, id));
  for (const NodeId id : graph.outputs()) outputs.push_back(value_json(graph, id));
  return {{"input", {input.channels, input.height, input.width}},
          {"inputs", inputs},
          {"outputs", outputs},
          {"classes", model.classes},
          {"dimensions", dimensions},
          {"subnets", subnets}};
}

/// "input 3x32x32", or "inputs a 3x32x32 and b 1x8x8".
std::string list_values(const Graph& graph, const std::string& what, std::span<const NodeId> ids) {
  if (ids.size() == 1) return fmt::format("{} {}", what, to_string(graph.shape(ids[0])));
  std::vector<std::string> values;
  for (const NodeId id : ids) {
    values.push_back(fmt::format("{} {}", graph.node(id).name, to_string(graph.shape(id))));
  }
  return fmt::format("{}s {}", what, fmt::join(values, " and "));
}

void print_dimensions(const Graph& graph) {
  std::vector<std::vector<std::string>> rows = {{"dimension", "state", "channels", "layers"}};
  for (const ChannelDimension& dimension : graph.layout().dimensions) {
    rows.push_back({dimension.name, dimension.locked() ? "locked" : "free",
                    std::to_string(dimension.channels), std::to_string(dimension.producers.size())});
  }
  fmt::print("{}", format_table(rows));
  for (const ChannelDimension& dimension : graph.layout().dimensions) {
    for (const Reason& reason : dimension.couplings) fmt::print("  {}: {}\n", dimension.name, reason.text);
    for (const Reason& reason : dimension.locks)
      fmt::print("  {}: locked, {}\n", dimension.name, reason.text);
  }
}

void print_subnets(const onnx::ModelFile& model) {
  std::vector<std::vector<std::string>> rows = {
      {"sub-net", "widths", "parameters", "MMAC", "validation", "test"}};
  int number = 0;
  for (const onnx::SubnetRecord& record : model.subnets) {
    const Cost c = cost(model.network.graph, record.subnet);
    rows.push_back({std::to_string(number++), to_string(record.subnet), std::to_string(c.parameters),
                    fmt::format("{:.2f}", static_cast<double>(c.macs) / 1e6),
                    percent(record.validation_accuracy),
                    record.test_accuracy ? percent(*record.test_accuracy) : "-"});
  }
  fmt::print("{}", format_table(rows));
}

Status inspect(const Options& options) {
  ASSIGN_OR_RETURN(const onnx::ModelFile model, onnx::read_model(options.model));
  if (options.json) {
    fmt::print("{}\n", to_json(model).dump(1));
    return {};
  }
  const Graph& graph = model.network.graph;
  std::vector<NodeId> inputs(static_cast<std::size_t>(graph.inputs()));
  std::iota(inputs.begin(), inputs.end(), 0);
  fmt::print("{}: {}, {}, {} classes, {} nodes, {} sub-nets in one set of weights\n\n", options.model,
             list_values(graph, "input", inputs), list_values(graph, "output", graph.outputs()),
             model.classes.size(), graph.size(), model.subnets.size());
  print_dimensions(graph);
  fmt::print("\n");
  print_subnets(model);
  return {};
}

}  // namespace

void add_inspect(CLI::App& program, Action& chosen) {
  CLI::App* verb = add_verb(program, "inspect", "Show a model's channel dimensions and sub-nets",
                            "  concertina inspect model.onnx\n  concertina inspect model.onnx --json\n");
  const auto options = std::make_shared<Options>();
  verb->add_option("MODEL", options->model, "dynamic model (.onnx)")->required();
  verb->add_flag("--json", options->json, "print JSON");
  verb->callback([&chosen, options] { chosen = [options] { return inspect(*options); }; });
}

}  // namespace concertina::apps
