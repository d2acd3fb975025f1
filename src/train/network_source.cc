#include "train/network_source.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/file.h"
#include "base/try.h"
#include "data/label_map.h"
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

/// `all`: those that are not named are kept, too.
Result<Network> choose_output(const Network& network, const std::string& wanted, bool all) {
  const Graph& graph = network.graph;
  if (wanted.empty()) {
    if (all || graph.outputs().size() == 1)
      return keep_outputs(network, {graph.outputs().begin(), graph.outputs().end()});
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

std::string names_of_inputs(const Graph& graph) {
  std::vector<NodeId> inputs;
  for (NodeId id = 0; id < graph.inputs(); ++id) inputs.push_back(id);
  return names_of(graph, inputs);
}

Status check_input(const Graph& graph, const Shape& images) {
  if (graph.inputs() > 1) {
    return Error{fmt::format(
        "it has the inputs {}, but the data has only one; give a network of one input, or distill "
        "it with arrays: '{}.npy' and one for each other input",
        names_of_inputs(graph), graph.node(0).name)};
  }
  const Shape& input = graph.shape(0);
  if (input.channels != images.channels) {
    return Error{
        fmt::format("it takes images of {} channels, but the data's have {}; "
                    "choose other data or export it for such images",
                    input.channels, images.channels)};
  }
  if (input == images) return {};
  return Error{
      fmt::format("it takes images of {} x {} pixels, but the data's have {} x {}; "
                  "set data.image_size if the data is a folder of images, or export it for that size",
                  input.height, input.width, images.height, images.width)};
}

/// Label maps are reduced to the output's size, each pixel to the middle of as many as fall together.
Status check_map(const Graph& graph) {
  const Shape &output = graph.shape(graph.output()), &input = graph.shape(0);
  if (output.channels > data::kUnlabelled) {
    return Error{fmt::format("its output '{}' tells {} classes apart, but label maps number {} at most",
                             graph.node(graph.output()).name, output.channels, data::kUnlabelled)};
  }
  if (output.height * output.width > 1 && input.height % output.height == 0 &&
      input.width % output.width == 0)
    return {};
  return Error{fmt::format(
      "its output '{}' is {}, but task = \"segment\" needs a map of the size of its images, {} x {}, or a whole "
      "part of it; name such an output in network.output, or add a Resize at the end of the network",
      graph.node(graph.output()).name, to_string(output), input.height, input.width)};
}

Status check_output(const Graph& graph, recipe::Task task) {
  if (task == recipe::Task::segment) return check_map(graph);
  const Shape& output = graph.shape(graph.output());
  if (output.height * output.width == 1) return {};
  return Error{
      fmt::format("its output '{}' is a map of {} x {} pixels, but a classifier gives a vector; "
                  "name such an output in network.output, or set task = \"segment\" to learn label maps, or "
                  "\"distill\" to learn what it gives",
                  graph.node(graph.output()).name, output.height, output.width)};
}

/// Whether so many scores tell the data's classes apart. The pixels of label maps may lack some classes, and
/// one score tells two apart.
bool tells_apart(int scores, recipe::Task task, int classes) {
  if (task != recipe::Task::segment) return scores == classes;
  return scores >= classes || (scores == 1 && classes == 2);
}

Result<Network> fit_classes(Network network, recipe::Task task, const recipe::Recipe::Network& recipe,
                            int classes) {
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
  if (tells_apart(given, task, classes)) return network;
  if (task == recipe::Task::segment) {
    return Error{fmt::format(
        "it tells {} classes apart, but the label maps have values up to {}; if they number the classes from 0, "
        "set network.new_classifier = true to give it a new last layer, else save them with such numbers",
        std::max(given, 2), classes - 1)};
  }
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

/// By input of the network, the data's of its name.
Result<std::vector<int>> match_inputs(const Graph& graph, std::span<const DataInput> data) {
  std::vector<int> matched;
  for (NodeId id = 0; id < graph.inputs(); ++id) {
    const std::string& name = graph.node(id).name;
    const auto found =
        std::find_if(data.begin(), data.end(), [&](const DataInput& one) { return one.name == name; });
    if (found == data.end()) {
      return Error{
          fmt::format("it has the inputs {}, but the data has no '{}.npy'; name the files like the inputs",
                      names_of_inputs(graph), name)};
    }
    if (found->shape != graph.shape(id)) {
      return Error{fmt::format(
          "its input '{}' is {}, but the data's is {}; write the arrays for it anew, or export it for them",
          name, to_string(graph.shape(id)), to_string(found->shape))};
    }
    matched.push_back(static_cast<int>(found - data.begin()));
  }
  return matched;
}

/// All outputs, or the one that is named, as the file has them.
Result<NetworkSource> fit_to_distill(const Network& network, const recipe::Recipe::Network& recipe,
                                     std::span<const DataInput> data) {
  ASSIGN_OR_RETURN(Network chosen, choose_output(network, recipe.output, true));
  NetworkSource source{std::move(chosen), {}, 0};
  if (data.size() == 1) {
    RETURN_IF_ERROR(check_input(source.network.graph, data[0].shape));
  } else {
    ASSIGN_OR_RETURN(source.data_inputs, match_inputs(source.network.graph, data));
  }
  return source;
}

Result<NetworkSource> fit_to_labels(const Network& network, const recipe::Recipe::Network& recipe,
                                    recipe::Task task, const Shape& shape, int classes, Progress& progress) {
  ASSIGN_OR_RETURN(Network fitting, fit_network(network, task, recipe, shape, classes, progress));
  return NetworkSource{std::move(fitting), {}, 0};
}

Result<NetworkSource> read_source(const recipe::Recipe& whole, std::span<const DataInput> data, int classes,
                                  Progress& progress) {
  const recipe::Recipe::Network& recipe = whole.network;
  const auto imported = onnx::import_network(recipe.file);
  if (!imported) return Error{fmt::format("network.file: {}", imported.error().message)};
  for (const std::string& node : imported->left_off)
    progress.message(fmt::format("network: {} at its end is left off", node));
  for (const std::string& sentence : imported->untied) progress.message(fmt::format("network: {}", sentence));
  if (imported->unrounded > 0) {
    progress.message(
        fmt::format("network: {} values that the file rounds to 8 bits are limited as there, and stay floats",
                    imported->unrounded));
  }
  ASSIGN_OR_RETURN(const std::uint64_t hash, onnx::hash_network(recipe.file));
  auto fitting = whole.task == recipe::Task::distill
                     ? fit_to_distill(imported->network, recipe, data)
                     : fit_to_labels(imported->network, recipe, whole.task, data[0].shape, classes, progress);
  if (!fitting) return in_file(recipe.file, fitting.error());
  NetworkSource source = *std::move(fitting);
  source.file_hash = hash;
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

Result<int> image_channels(const recipe::Recipe& recipe) {
  if (recipe.network.file.empty()) return 3;
  const auto imported = onnx::import_network(recipe.network.file);
  if (!imported) return Error{fmt::format("network.file: {}", imported.error().message)};
  const Graph& graph = imported->network.graph;
  return graph.inputs() == 1 && graph.shape(0).channels == 1 ? 1 : 3;
}

Result<Network> fit_network(const Network& network, recipe::Task task, const recipe::Recipe::Network& recipe,
                            const Shape& shape, int classes, Progress& progress) {
  ASSIGN_OR_RETURN(Network chosen, choose_output(network, recipe.output, false));
  chosen = without_probabilities(std::move(chosen), progress);
  RETURN_IF_ERROR(check_input(chosen.graph, shape));
  RETURN_IF_ERROR(check_output(chosen.graph, task));
  return fit_classes(std::move(chosen), task, recipe, classes);
}

Result<NetworkSource> open_network(const recipe::Recipe& recipe, std::span<const DataInput> data, int classes,
                                   Progress& progress) {
  ASSIGN_OR_RETURN(NetworkSource source, recipe.network.file.empty()
                                             ? build_source(recipe.network, data[0].shape, classes)
                                             : read_source(recipe, data, classes, progress));
  RETURN_IF_ERROR(check_free(source.network.graph));
  return source;
}

}  // namespace concertina::train
