#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/try.h"
#include "common/options.h"
#include "graph/cost.h"
#include "onnx/network_file.h"
#include "workstation/verbs.h"

namespace concertina::apps {
namespace {

struct ImportOptions {
  std::string network;
  std::string input;
  std::string out;
  bool json = false;
};

/// One sentence for all nodes that are not understood.
Status check_understood(const onnx::ImportedNetwork& imported) {
  if (imported.opaque.empty()) return {};
  std::string list;
  for (const auto& [node, op, reason] : imported.opaque) {
    list += fmt::format("{}'{}' ({}: {})", list.empty() ? "" : ", ", node, op, reason);
  }
  return Error{
      fmt::format("{} of its nodes cannot be trained or run: {}; "
                  "replace them, or see with explain what could shrink around them",
                  imported.opaque.size(), list)};
}

void print_summary(const ImportOptions& options, const Graph& graph) {
  const Cost whole = cost(graph, full_subnet(graph));
  const int free = graph.layout().free_dimensions;
  const auto dimensions = static_cast<int>(graph.layout().dimensions.size());
  std::vector<std::string> inputs, outputs;
  for (NodeId id = 0; id < graph.inputs(); ++id) inputs.push_back(to_string(graph.shape(id)));
  for (const NodeId id : graph.outputs()) outputs.push_back(to_string(graph.shape(id)));
  if (options.json) {
    fmt::print("{}\n", nlohmann::json{{"out", options.out},
                                      {"inputs", inputs},
                                      {"outputs", outputs},
                                      {"nodes", graph.size()},
                                      {"macs", whole.macs},
                                      {"parameters", whole.parameters},
                                      {"free_dimensions", free},
                                      {"dimensions", dimensions}}
                           .dump(2));
    return;
  }
  fmt::print("{}: {} -> {}, {} nodes, {:.2f} MMAC, {} parameters; {} of {} channel dimensions can shrink\n",
             options.out, fmt::join(inputs, ", "), fmt::join(outputs, ", "), graph.size(),
             static_cast<double>(whole.macs) / 1e6, whole.parameters, free, dimensions);
}

Status import(ImportOptions options) {
  if (options.out.empty()) {
    options.out = std::filesystem::path(options.network).stem().string() + ".imported.onnx";
  }
  ASSIGN_OR_RETURN(const auto input, parse_shape(options.input));
  ASSIGN_OR_RETURN(const onnx::ImportedNetwork imported,
                   onnx::import_network(options.network, {.input = input, .opaque = true}));
  const Status understood = check_understood(imported);
  if (!understood) return Error{fmt::format("'{}': {}", options.network, understood.error().message)};
  RETURN_IF_ERROR(onnx::write_network(options.out, imported.network));
  for (const std::string& node : imported.left_off) fmt::print(stderr, "{} at its end is left off\n", node);
  for (const std::string& sentence : imported.untied) fmt::print(stderr, "{}\n", sentence);
  if (imported.unrounded > 0)
    fmt::print(stderr, "{} values that the file rounds to 8 bits are limited as there, and stay floats\n",
               imported.unrounded);
  print_summary(options, imported.network.graph);
  return {};
}

}  // namespace

void add_import_verb(CLI::App& program, Action& chosen) {
  CLI::App* verb = add_verb(program, "import",
                            "Reads another program's ONNX file and writes the network as recipes take it",
                            "  concertina-train import net.onnx --out mine.onnx\n"
                            "  concertina-train import net.onnx --input 3x224x224\n");
  const auto options = std::make_shared<ImportOptions>();
  verb->add_option("NET", options->network, "ONNX file, operator set 7 or later")->required();
  verb->add_option("--input", options->input, "shape of the (first) input, if the file leaves it open")
      ->type_name("CxHxW");
  verb->add_option("--out", options->out, "file to write (default: NET.imported.onnx here)")
      ->type_name("FILE");
  verb->add_flag("--json", options->json, "print the summary as JSON");
  verb->callback([&chosen, options] { chosen = [options] { return import(*options); }; });
}

}  // namespace concertina::apps
