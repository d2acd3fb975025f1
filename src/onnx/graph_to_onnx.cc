#include "onnx/graph_to_onnx.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "base/try.h"
#include "onnx/conv_transpose.h"
#include "onnx/op_to_onnx.h"
#include "onnx/rank.h"

namespace concertina::onnx {
namespace {

void describe_value(const std::string& name, const Shape& shape, int rank, onnx::ValueInfoProto& value) {
  value.set_name(name);
  onnx::TypeProto::Tensor& type = *value.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx::TensorProto::FLOAT);
  type.mutable_shape()->add_dim()->set_dim_param("N");
  type.mutable_shape()->add_dim()->set_dim_value(shape.channels);
  if (rank == 2) return;
  type.mutable_shape()->add_dim()->set_dim_value(shape.height);
  type.mutable_shape()->add_dim()->set_dim_value(shape.width);
}

/// Constants for each channel of a map: ONNX aligns shapes at their ends, C x 1 x 1 with N x C x H x W.
bool needs_map(const Op& op, int rank) {
  return rank == 4 && (std::holds_alternative<op::Scale>(op) || std::holds_alternative<op::Shift>(op) ||
                       std::holds_alternative<op::PRelu>(op));
}

/// As ONNX wants it.
Array stored(const Op& op, const Parameter& parameter, const Array& array) {
  const auto* conv = std::get_if<op::Conv>(&op);
  const bool turned = conv && conv->transposed() && parameter.shape.size() == 4;
  return turned ? transposed_filters(array, conv->groups) : array;
}

Status add_node(const Network& network, NodeId id, int rank, onnx::GraphProto& graph,
                std::int64_t& operator_set) {
  const Node& source = network.graph.node(id);
  OpTarget target{.graph = graph,
                  .name = source.name,
                  .inputs = {},
                  .input = network.graph.shape(source.inputs[0]),
                  .output = network.graph.shape(id),
                  .rank = rank,
                  .operator_set = operator_set};
  for (const NodeId input : source.inputs) target.inputs.push_back(network.graph.node(input).name);
  for (const Parameter& parameter : parameters_of(source.op)) {
    target.inputs.push_back(parameter_name(source, parameter));
    if (source.tied.contains(parameter.name)) continue;  // its owner has written it
    onnx::TensorProto& tensor = *graph.add_initializer();
    const Array& array = network.weights.at(target.inputs.back());
    write_tensor(target.inputs.back(), stored(source.op, parameter, array), tensor);
    if (needs_map(source.op, rank)) tensor.add_dims(1), tensor.add_dims(1);
  }
  const Status status = write_op(source.op, target);
  if (!status) return Error{fmt::format("node '{}': {}", source.name, status.error().message)};
  return {};
}

bool is_output(const Graph& graph, NodeId id) {
  const std::span<const NodeId> outputs = graph.outputs();
  return std::find(outputs.begin(), outputs.end(), id) != outputs.end();
}

Status write_graph(const Network& network, onnx::GraphProto& graph, std::int64_t& operator_set) {
  const Graph& source = network.graph;
  ASSIGN_OR_RETURN(const auto ranks, value_ranks(source));
  graph.set_name("network");
  for (NodeId id = 0; id < source.size(); ++id) {
    const int rank = ranks[id];
    if (id >= source.inputs()) RETURN_IF_ERROR(add_node(network, id, rank, graph, operator_set));
    if (is_output(source, id)) continue;
    onnx::ValueInfoProto& value = id < source.inputs() ? *graph.add_input() : *graph.add_value_info();
    describe_value(source.node(id).name, source.shape(id), rank, value);
  }
  for (const NodeId id : source.outputs()) {
    describe_value(source.node(id).name, source.shape(id), ranks[id], *graph.add_output());
  }
  return check_names(graph);
}

}  // namespace

Result<onnx::ModelProto> to_onnx(const Network& network) {
  onnx::ModelProto model;
  model.set_ir_version(8);
  model.set_producer_name("concertina");
  model.set_producer_version(CONCERTINA_VERSION);
  std::int64_t operator_set = 14;
  RETURN_IF_ERROR(write_graph(network, *model.mutable_graph(), operator_set));
  model.add_opset_import()->set_version(operator_set);
  return model;
}

Status check_names(const onnx::GraphProto& graph) {
  std::unordered_set<std::string_view> names;
  for (const onnx::ValueInfoProto& input : graph.input()) names.insert(input.name());
  for (const onnx::NodeProto& node : graph.node()) {
    if (!names.insert(node.output(0)).second) {
      return Error{
          fmt::format("two values are called '{}', which ONNX forbids; rename the node", node.output(0))};
    }
  }
  for (const onnx::TensorProto& tensor : graph.initializer()) {
    if (!names.insert(tensor.name()).second) {
      return Error{fmt::format(
          "a node and an array are both called '{}', which ONNX forbids; rename the node", tensor.name())};
    }
  }
  return {};
}

}  // namespace concertina::onnx
