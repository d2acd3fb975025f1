#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <numeric>
#include <span>

#include "base/try.h"
#include "common/table.h"
#include "device/options.h"
#include "device/verbs.h"
#include "graph/cost.h"
#include "onnx/model_file.h"

namespace concertina::apps {
namespace {

struct InspectOptions {
  std::string model;
  bool json = false;
};

nlohmann::json value_json(const Graph& graph, NodeId id) {
  const auto [channels, height, width] = graph.shape(id);
  return {{"name", graph.node(id).name}, {"shape", {channels, height, width}}};
}

std::vector<std::string> texts(const std::vector<Reason>& reasons) {
  std::vector<std::string> list;
  for (const Reason& reason : reasons) list.push_back(reason.text);
  return list;
}

Table dimension_table(const Graph& graph) {
  Table table({{"dimension", "name"},
               {"state", ""},
               {"channels", "channels"},
               {"layers", ""},
               {"", "features_per_channel"},
               {"", "couplings"},
               {"", "locks"}});
  for (const ChannelDimension& dimension : graph.layout().dimensions) {
    table.add({words(dimension.name), words(dimension.locked() ? "locked" : "free"),
               whole(dimension.channels), whole(std::ssize(dimension.producers)), unseen(dimension.granule),
               unseen(texts(dimension.couplings)), unseen(texts(dimension.locks))});
  }
  return table;
}

Table subnet_table(const onnx::ModelFile& model) {
  Table table({{"sub-net", ""},
               {"widths", "widths"},
               {"parameters", "parameters"},
               {"MMAC", "macs"},
               {"validation", "validation_accuracy"},
               {"test", "test_accuracy"}});
  for (int number = 0; const onnx::SubnetRecord& record : model.subnets) {
    const Cost c = cost(model.network.graph, record.subnet);
    table.add({whole(number++), words(to_string(record.subnet)), whole(c.parameters), millions(c.macs),
               percent(record.validation_accuracy), percent_or_dash(record.test_accuracy)});
  }
  return table;
}

nlohmann::json to_json(const onnx::ModelFile& model) {
  const Graph& graph = model.network.graph;
  const Shape& input = graph.shape(graph.input());
  nlohmann::json inputs = nlohmann::json::array(), outputs = nlohmann::json::array();
  for (NodeId id = 0; id < graph.inputs(); ++id) inputs.push_back(value_json(graph, id));
  for (const NodeId id : graph.outputs()) outputs.push_back(value_json(graph, id));
  return {{"input", {input.channels, input.height, input.width}},
          {"inputs", inputs},
          {"outputs", outputs},
          {"classes", model.classes},
          {"dimensions", dimension_table(graph).json()},
          {"subnets", subnet_table(model).json()}};
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

void print_reasons(const Graph& graph) {
  for (const ChannelDimension& dimension : graph.layout().dimensions) {
    for (const Reason& reason : dimension.couplings) fmt::print("  {}: {}\n", dimension.name, reason.text);
    for (const Reason& reason : dimension.locks)
      fmt::print("  {}: locked, {}\n", dimension.name, reason.text);
  }
}

Status inspect(const InspectOptions& options) {
  ASSIGN_OR_RETURN(const onnx::ModelFile model, onnx::read_model(options.model));
  if (options.json) {
    fmt::print("{}\n", to_json(model).dump(1));
    return {};
  }
  const Graph& graph = model.network.graph;
  std::vector<NodeId> inputs(static_cast<std::size_t>(graph.inputs()));
  std::iota(inputs.begin(), inputs.end(), 0);
  const std::string classes = model.label_maps        ? "a class for each pixel, "
                              : model.classes.empty() ? ""
                                                      : fmt::format("{} classes, ", model.classes.size());
  fmt::print("{}: {}, {}, {}{} nodes, {} sub-nets in one set of weights\n\n", options.model,
             list_values(graph, "input", inputs), list_values(graph, "output", graph.outputs()), classes,
             graph.size(), model.subnets.size());
  fmt::print("{}", dimension_table(graph).text());
  print_reasons(graph);
  fmt::print("\n{}", subnet_table(model).text());
  return {};
}

void define(CLI::App* verb, InspectOptions& options) {
  add_model_argument(verb, options.model);
  add_json_option(verb, options.json);
}

}  // namespace

void add_inspect(CLI::App& program, Action& chosen) {
  add_verb<InspectOptions>(program, chosen, "inspect", "Show a model's channel dimensions and sub-nets",
                           "  concertina inspect model.onnx\n  concertina inspect model.onnx --json\n",
                           define, inspect);
}

}  // namespace concertina::apps
