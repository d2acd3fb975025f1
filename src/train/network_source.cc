#include "train/network_source.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/file.h"
#include "base/try.h"
#include "graph/edit.h"
#include "graph/networks/networks.h"
#include "onnx/network_file.h"

namespace concertina::train {
namespace {

std::string names_of(const Graph& graph, std::span<const NodeId> ids) {
  std::vector<std::string> names;
  for (const NodeId id : ids) names.push_back(fmt::format("'{}'", graph.node(id).name));
  return fmt::format("{}", fmt::join(names, ", "));
}

Result<Network> choose_output(const Network& network, const std::string& wanted) {
  const Graph& graph = network.graph;
  if (wanted.empty()) {
    if (graph.outputs().size() == 1) return keep_outputs(network, {graph.output()});
    return Error{fmt::format("it has the outputs {}; choose one with network.output",
                             names_of(graph, graph.outputs()))};
  }
  for (const NodeId output : graph.outputs()) {
    if (graph.node(output).name == wanted) return keep_outputs(network, {output});
  }
  return Error{fmt::format("it has no output '{}'; set network.output to one of {}", wanted,
                           names_of(graph, graph.outputs()))};
}

/// What turns scores into probabilities.
bool makes_probabilities(const Op& op) {
  const auto* activation = std::get_if<op::Activation>(&op);
  return std::holds_alternative<op::Softmax>(op) ||
         (activation && activation->function == op::Function::sigmoid);
}

/// Losses take scores. Precondition: one output.
Network without_probabilities(Network network, Progress& progress) {
  const Node& last = network.graph.node(network.graph.output());
  if (!makes_probabilities(last.op) || last.inputs[0] < network.graph.inputs()) return network;
  progress.message(fmt::format("network: the {} '{}' at its end is left off", type_name(last.op), last.name));
  return keep_outputs(network, {last.inputs[0]});
}

Status check_suits(const Graph& graph, const Shape& images) {
  if (graph.inputs() > 1) {
    std::vector<NodeId> inputs;
    for (NodeId id = 0; id < graph.inputs(); ++id) inputs.push_back(id);
    return Error{fmt::format(
        "it has the inputs {}, but the data gives one image at a time; give a network of one input",
        names_of(graph, inputs))};
  }
  const Shape& input = graph.shape(0);
  if (input.channels != images.channels) {
    return Error{
        fmt::format("it takes images of {} channels, but the data's have {}; "
                    "choose other data or export it for such images",
                    input.channels, images.channels)};
  }
  if (input != images) {
    return Error{
        fmt::format("it takes images of {} x {} pixels, but the data's have {} x {}; "
                    "set data.image_size if the data is a folder of images, or export it for that size",
                    input.height, input.width, images.height, images.width)};
  }
  const Shape& output = graph.shape(graph.output());
  if (output.height * output.width == 1) return {};
  return Error{
      fmt::format("its output '{}' is a map of {} x {} pixels, but recipes train classifiers, "
                  "which give a vector; give a network that does, or name such an output in network.output",
                  graph.node(graph.output()).name, output.height, output.width)};
}

Result<Network> fit_classes(Network network, const recipe::Recipe::Network& recipe, int classes) {
  const int given = network.graph.shape(network.graph.output()).channels;
  if (recipe.new_classifier) {
    ASSIGN_OR_RETURN(Network fitted, resize_classifier(std::move(network), classes));
    const int made = fitted.graph.shape(fitted.graph.output()).channels;
    if (made == classes) return fitted;
    return Error{
        fmt::format("with a new last layer it gives {} scores for {} classes; "
                    "choose another output with network.output, or end the network in one layer",
                    made, classes)};
  }
  if (given == classes) return network;
  return Error{
      fmt::format("it tells {} classes apart, but the data has {}; "
                  "set network.new_classifier = true to give it a new last layer",
                  given, classes)};
}

Result<NetworkSource> build_source(const recipe::Recipe::Network& recipe, const Shape& shape, int classes) {
  ASSIGN_OR_RETURN(Graph graph, make_network({.name = recipe.name,
                                              .input = shape,
                                              .classes = classes,
                                              .width = recipe.width,
                                              .decoupled = recipe.decoupled}));
  return NetworkSource{{std::move(graph), {}}, {}, 0};
}

Result<NetworkSource> read_source(const recipe::Recipe::Network& recipe, const Shape& shape, int classes,
                                  Progress& progress) {
  const auto imported = onnx::import_network(recipe.file);
  if (!imported) return Error{fmt::format("network.file: {}", imported.error().message)};
  for (const std::string& node : imported->left_off)
    progress.message(fmt::format("network: {} at its end is left off", node));
  for (const std::string& sentence : imported->untied) progress.message(fmt::format("network: {}", sentence));
  ASSIGN_OR_RETURN(const std::uint64_t hash, onnx::hash_network(recipe.file));
  auto fitting = fit_network(imported->network, recipe, shape, classes, progress);
  if (!fitting) return in_file(recipe.file, fitting.error());
  NetworkSource source{*std::move(fitting), {}, hash};
  if (recipe.batch_norm == recipe::NetworkNorms::automatic)
    source.network = insert_norms(source.network, &source.norms);
  if (!source.norms.empty()) {
    progress.message(
        fmt::format("network: {} convolutions get the batch norms back that were folded into them; "
                    "network.batch_norm = \"keep\" leaves it as it is",
                    source.norms.size()));
  }
  return source;
}

Status check_free(const Graph& graph) {
  const ChannelLayout& layout = graph.layout();
  if (layout.free_dimensions > 0) return {};
  const std::string why = layout.dimensions.empty() ? "" : ": " + layout.dimensions.back().locks.front().text;
  return Error{
      fmt::format("no channels of the network can be left out, so it has no sub-nets{}; "
                  "concertina-train explain shows the reasons",
                  why)};
}

}  // namespace

Result<Network> fit_network(const Network& network, const recipe::Recipe::Network& recipe, const Shape& shape,
                            int classes, Progress& progress) {
  ASSIGN_OR_RETURN(Network chosen, choose_output(network, recipe.output));
  chosen = without_probabilities(std::move(chosen), progress);
  RETURN_IF_ERROR(check_suits(chosen.graph, shape));
  return fit_classes(std::move(chosen), recipe, classes);
}

Result<NetworkSource> open_network(const recipe::Recipe::Network& recipe, const Shape& shape, int classes,
                                   Progress& progress) {
  ASSIGN_OR_RETURN(NetworkSource source, recipe.file.empty() ? build_source(recipe, shape, classes)
                                                             : read_source(recipe, shape, classes, progress));
  RETURN_IF_ERROR(check_free(source.network.graph));
  return source;
}

}  // namespace concertina::train
