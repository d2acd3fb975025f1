#include "onnx/check.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "base/try.h"
#include "graph/branches.h"
#include "onnx/tensor.h"

namespace concertina::onnx {
namespace {

bool is_utf8(const std::string& text) {
  try {
    (void)nlohmann::json(text).dump();
    return true;
  } catch (const nlohmann::json::type_error&) {
    return false;
  }
}

Status check_names(const ModelFile& model) {
  for (const Node& node : model.network.graph.nodes()) {
    if (!is_utf8(node.name)) return Error{"a node's name is not UTF-8; rename the node"};
  }
  const Graph& graph = model.network.graph;
  const Shape& output = graph.shape(graph.output());
  const bool vector = output.height == 1 && output.width == 1;
  if (!model.classes.empty() && !vector) {
    return Error{fmt::format("there are class names, but the network's output is {}", to_string(output))};
  }
  if (!model.classes.empty() && model.classes.size() != static_cast<std::size_t>(output.channels)) {
    return Error{
        fmt::format("there are {} class names for {} outputs", model.classes.size(), output.channels)};
  }
  for (std::size_t i = 0; i < model.classes.size(); ++i) {
    if (!is_utf8(model.classes[i])) return Error{fmt::format("the name of class {} is not UTF-8", i)};
  }
  return {};
}

Status check_preprocessing(const ModelFile& model) {
  const int channels = model.network.graph.shape(model.network.graph.input()).channels;
  const auto& [mean, stddev, resize, bgr] = model.preprocessing;
  if (bgr && channels != 3)
    return Error{fmt::format("the preprocessing orders {} input channels as blue, green, red", channels)};
  const int height = model.network.graph.shape(model.network.graph.input()).height;
  if (resize != 0 && (resize < height || resize > kMaxSize)) {
    return Error{fmt::format("the preprocessing scales images to {} pixels, but the network takes {}", resize,
                             height)};
  }
  for (const auto* values : {&mean, &stddev}) {
    if (values->size() == static_cast<std::size_t>(channels)) continue;
    return Error{fmt::format("the preprocessing has {} values of {} for {} input channels", values->size(),
                             values == &mean ? "mean" : "stddev", channels)};
  }
  for (std::size_t c = 0; c < mean.size(); ++c) {
    if (!std::isfinite(mean[c]) || !std::isfinite(stddev[c]) || stddev[c] <= 0) {
      return Error{
          fmt::format("the preprocessing of channel {} is mean {}, stddev {}", c, mean[c], stddev[c])};
    }
  }
  return {};
}

Status check_validation(const ModelFile& model) {
  if (!model.validation) return {};
  const auto& [count, among, seed, labels, by_class] = *model.validation;
  if (count >= 1 && count <= among && seed >= 0) return {};
  return Error{
      fmt::format("it was validated on {} of {} images by seed {}, which cannot be", count, among, seed)};
}

Status check_taught(const ModelFile& model) {
  const std::size_t outputs = model.network.graph.outputs().size();
  if (model.taught.empty()) return {};
  if (model.taught.size() != outputs)
    return Error{fmt::format("it compares {} outputs of {}", model.taught.size(), outputs)};
  double weights = 0;
  for (const auto& [_, weight, variance] : model.taught) {
    if (!std::isfinite(weight) || weight < 0 || !std::isfinite(variance) || variance <= 0)
      return Error{fmt::format("it compares an output with weight {} by the variance {}", weight, variance)};
    weights += weight;
  }
  return weights > 0 ? Status() : Error{"it compares outputs whose weights are all 0"};
}

Status check_label_maps(const ModelFile& model) {
  if (!model.label_maps) return {};
  const Graph& graph = model.network.graph;
  const Shape &input = graph.shape(0), &output = graph.shape(graph.output());
  const bool whole = input.height % output.height == 0 && input.width % output.width == 0;
  constexpr int kMostClasses = 255;  // that a label map can number
  if (whole && output.channels <= kMostClasses && graph.inputs() == 1 && model.taught.empty()) return {};
  return Error{
      fmt::format("it learned label maps, but gives {} for {}", to_string(output), to_string(input))};
}

Status check_accuracy(const char* which, double accuracy) {
  if (accuracy >= 0 && accuracy <= 1) return {};
  return Error{fmt::format("its {} accuracy is {}, which is not between 0 and 1", which, accuracy)};
}

Status check_array(const std::string& name, const std::vector<int>& sizes, const Array& array) {
  std::size_t count = 1;
  for (const int size : sizes) count *= static_cast<std::size_t>(size);
  if (array.shape != sizes || array.values.size() != count) {
    return Error{fmt::format("its own '{}' has {} values, but at its widths it is {}", name,
                             array.values.size(), count)};
  }
  const float least = name.ends_with(".running_var") ? 0.0F : -INFINITY;
  for (const float value : array.values) {
    if (!std::isfinite(value) || value < least)
      return Error{fmt::format("its own '{}' holds the impossible value {}", name, value)};
  }
  return {};
}

bool may_be_own(const Op& op) {
  return std::holds_alternative<op::BatchNorm>(op) || std::holds_alternative<op::Linear>(op);
}

Status check_quantization(const Graph& graph, const SubnetRecord& record) {
  if (record.quantization.empty()) return {};
  std::set<std::string> tensors;
  const Graph running = variant(graph, record.subnet);
  for (const Node& node : running.nodes()) tensors.insert(node.name);
  for (const auto& [name, how] : record.quantization) {
    if (!tensors.contains(name))
      return Error{fmt::format("it has a scale of '{}', which is no tensor of it", name)};
    const bool scales = how.scale >= kLeastScale && how.scale <= kMostScale;
    if (!scales || how.zero_point < 0 || how.zero_point > 255)
      return Error{fmt::format("'{}' has the scale {} and the zero point {}, which cannot be", name,
                               how.scale, how.zero_point)};
  }
  return {};
}

Status check_record(const Graph& graph, const SubnetRecord& record) {
  RETURN_IF_ERROR(check_accuracy("validation", record.validation_accuracy));
  if (record.test_accuracy) RETURN_IF_ERROR(check_accuracy("test", *record.test_accuracy));
  RETURN_IF_ERROR(check_quantization(graph, record));
  std::size_t known = 0;
  const std::vector<bool> absent = absent_nodes(graph, record.subnet);
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (absent[id]) continue;
    for (const Parameter& parameter : parameters(graph, id)) {
      const std::string name = parameter_name(graph.node(id), parameter);
      const auto found = record.own.find(name);
      if (found == record.own.end()) {
        if (parameter.trainable) continue;
        return Error{fmt::format("its statistics '{}' are missing", name)};
      }
      if (!may_be_own(graph.node(id).op)) {
        return Error{
            fmt::format("it has its own '{}', but only batch norms and linear layers may have that", name)};
      }
      RETURN_IF_ERROR(check_array(name, active_sizes(graph, id, parameter, record.subnet), found->second));
      ++known;
    }
  }
  if (record.own.size() == known) return {};
  return Error{fmt::format("it has {} arrays of its own, but the network knows only {} of them",
                           record.own.size(), known)};
}

Status check_chain(const Graph& graph, const std::vector<SubnetRecord>& subnets) {
  if (subnets.empty()) return Error{"the model has no sub-nets; the first must be the full network"};
  for (const SubnetRecord& record : subnets) RETURN_IF_ERROR(check_subnet(graph, record.subnet));
  if (subnets[0].subnet != full_subnet(graph)) {
    return Error{fmt::format("the first sub-net {} is not the full network {}", to_string(subnets[0].subnet),
                             to_string(full_subnet(graph)))};
  }
  for (std::size_t i = 1; i < subnets.size(); ++i) {
    const Subnet& larger = subnets[i - 1].subnet;
    const Subnet& smaller = subnets[i].subnet;
    if (smaller == larger) return Error{fmt::format("sub-net {} is listed twice", to_string(smaller))};
    if (!is_nested(smaller, larger)) {
      return Error{fmt::format("sub-net {} is not nested in {}, which comes before it", to_string(smaller),
                               to_string(larger))};
    }
  }
  return {};
}

Status check_probe(const SubnetRecord& record, std::int64_t outputs) {
  const std::vector<float>& logits = record.probe_logits;
  if (logits.empty()) return {};
  if (static_cast<std::int64_t>(logits.size()) != kProbeImages * outputs) {
    return Error{
        fmt::format("it has {} logits of {} images for {} outputs", logits.size(), kProbeImages, outputs)};
  }
  for (const float value : logits) {
    if (!std::isfinite(value)) return Error{fmt::format("its logits hold the impossible value {}", value)};
  }
  return {};
}

Status check_full_arrays(const ModelFile& model) {
  for (const auto& [name, array] : model.subnets[0].own) {
    if (model.network.weights.at(name) == array) continue;
    return Error{fmt::format("'{}' of the first sub-net differs from the network's", name)};
  }
  return {};
}

Status check_length(const std::string& name, const Array& array) {
  std::size_t count = 1;
  for (const int size : array.shape) count *= static_cast<std::size_t>(size);
  if (array.values.size() == count) return {};
  return Error{
      fmt::format("the array '{}' holds {} values where its shape has {}", name, array.values.size(), count)};
}

Status check_norm(const Node& node, const Weights& weights) {
  const auto* norm = std::get_if<op::BatchNorm>(&node.op);
  if (norm == nullptr) return {};
  if (!std::isfinite(norm->epsilon) || norm->epsilon <= 0) {
    return Error{fmt::format("the epsilon of batch norm '{}' is not a positive number", node.name)};
  }
  for (const float variance : weights.at(node.name + ".running_var").values) {
    if (variance < 0)
      return Error{fmt::format("the array '{}.running_var' holds a negative variance", node.name)};
  }
  return {};
}

}  // namespace

Status check_network(const Network& network) {
  RETURN_IF_ERROR(check_weights(network.graph, network.weights));
  for (const auto& [name, array] : network.weights) RETURN_IF_ERROR(check_length(name, array));
  for (const Node& node : network.graph.nodes()) RETURN_IF_ERROR(check_norm(node, network.weights));
  return {};
}

Status check_model(const ModelFile& model) {
  RETURN_IF_ERROR(check_network(model.network));
  RETURN_IF_ERROR(check_names(model));
  RETURN_IF_ERROR(check_preprocessing(model));
  RETURN_IF_ERROR(check_validation(model));
  RETURN_IF_ERROR(check_taught(model));
  RETURN_IF_ERROR(check_label_maps(model));
  RETURN_IF_ERROR(check_chain(model.network.graph, model.subnets));
  for (const SubnetRecord& record : model.subnets) {
    Status status = check_record(model.network.graph, record);
    if (status) status = check_probe(record, output_elements(model.network.graph));
    if (!status)
      return Error{fmt::format("sub-net {}: {}", to_string(record.subnet), status.error().message)};
  }
  return check_full_arrays(model);
}

}  // namespace concertina::onnx
