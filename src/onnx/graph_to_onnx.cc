#include "onnx/graph_to_onnx.h"

#include <fmt/format.h>

#include <limits>
#include <unordered_set>

#include "base/try.h"
#include "onnx/op_to_onnx.h"
#include "onnx/rank.h"

namespace concertina {
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

void add_array(const std::string& name, const Array& array, onnx::NodeProto& node, onnx::GraphProto& graph) {
  node.add_input(name);
  write_tensor(name, array, *graph.add_initializer());
}

Status add_node(const Network& network, NodeId id, onnx::GraphProto& graph) {
  const Node& source = network.graph.node(id);
  onnx::NodeProto& node = *graph.add_node();
  node.set_name(source.name);
  node.add_output(source.name);
  for (const NodeId input : source.inputs) node.add_input(network.graph.node(input).name);
  for (const Parameter& parameter : parameters(network.graph, id)) {
    const std::string name = parameter_name(source, parameter);
    add_array(name, network.weights.at(name), node, graph);
  }
  for (const auto& [name, array] : constant_inputs(source.op)) {
    add_array(fmt::format("{}.{}", source.name, name), array, node, graph);
  }
  const Status status = write_op(source.op, node);
  if (!status) return Error{fmt::format("node '{}': {}", source.name, status.error().message)};
  return {};
}

// ONNX has one space of names for values and arrays.
Status check_names(const onnx::GraphProto& graph) {
  std::unordered_set<std::string_view> names = {graph.input(0).name()};
  for (const onnx::NodeProto& node : graph.node()) names.insert(node.output(0));
  for (const onnx::TensorProto& tensor : graph.initializer()) {
    if (!names.insert(tensor.name()).second) {
      return Error{fmt::format(
          "a node and an array are both called '{}', which ONNX forbids; rename the node", tensor.name())};
    }
  }
  return {};
}

Status write_graph(const Network& network, onnx::GraphProto& graph) {
  const Graph& source = network.graph;
  CONCERTINA_ASSIGN(const auto ranks, value_ranks(source));
  graph.set_name("network");
  for (NodeId id = 0; id < source.size(); ++id) {
    if (id != source.input()) CONCERTINA_TRY(add_node(network, id, graph));
    onnx::ValueInfoProto& value = id == source.input()    ? *graph.add_input()
                                  : id == source.output() ? *graph.add_output()
                                                          : *graph.add_value_info();
    describe_value(source.node(id).name, source.shape(id), ranks[static_cast<std::size_t>(id)], value);
  }
  return check_names(graph);
}

}  // namespace

Result<onnx::ModelProto> to_onnx(const Network& network) {
  onnx::ModelProto model;
  model.set_ir_version(8);
  model.set_producer_name("concertina");
  model.set_producer_version(CONCERTINA_VERSION);
  model.add_opset_import()->set_version(13);
  CONCERTINA_TRY(write_graph(network, *model.mutable_graph()));
  return model;
}

Result<std::string> serialize(const onnx::ModelProto& model) {
  std::string bytes;
  if (model.ByteSizeLong() > std::numeric_limits<int>::max() || !model.SerializeToString(&bytes)) {
    return Error{"the network is larger than 2 GB, which no ONNX file in one piece can be; make it narrower"};
  }
  return bytes;
}

}  // namespace concertina
