#include "onnx/graph_from_onnx.h"

#include <fmt/format.h>

#include <limits>
#include <unordered_map>

#include "base/try.h"
#include "onnx/op_from_onnx.h"
#include "onnx/rank.h"

namespace concertina {
namespace {

// Bounds the work that a small file can ask for: concatenations double the parts of an axis.
constexpr std::int64_t kMaxSegments = std::int64_t{1} << 20;

struct Value {
  NodeId id = 0;
  Shape shape;
  int rank = 4;
  std::int64_t segments = 1;  // of its channel axis
};

bool makes_channels(const Op& op) {
  const auto* conv = std::get_if<op::Conv>(&op);
  return std::holds_alternative<op::Linear>(op) || (conv != nullptr && !conv->depthwise());
}

class GraphReader {
 public:
  GraphReader(const OnnxFile& file, std::int64_t operator_set, std::int64_t most_values)
      : graph_(file.model.graph()),
        raw_data_(file.raw_data),
        operator_set_(operator_set),
        values_left_(most_values) {}

  Result<Network> read() {
    for (int i = 0; i < graph_.initializer_size(); ++i) {
      const onnx::TensorProto& tensor = graph_.initializer(i);
      CONCERTINA_TRY(add_constant(tensor.name(), {&tensor, raw_data_[static_cast<std::size_t>(i)]}));
    }
    CONCERTINA_TRY(read_input());
    for (const onnx::NodeProto& node : graph_.node()) {
      const Status status = read_node(node);
      if (!status) {
        return Error{
            fmt::format("node '{}' ({}): {}", name_of(node), node.op_type(), status.error().message)};
      }
    }
    CONCERTINA_TRY(check_output());
    CONCERTINA_ASSIGN(auto graph, Graph::make(std::move(nodes_)));
    return Network{std::move(graph), std::move(weights_)};
  }

 private:
  static const std::string& name_of(const onnx::NodeProto& node) {
    return node.name().empty() && node.output_size() > 0 ? node.output(0) : node.name();
  }

  Status add_constant(const std::string& name, const TensorView& tensor) {
    if (values_.contains(name) || !constants_.emplace(name, tensor).second) {
      return Error{fmt::format("two values are called '{}'", name)};
    }
    return {};
  }

  Status add_value(const std::string& name, const Value& value) {
    if (name.empty() || constants_.contains(name) || !values_.emplace(name, value).second) {
      return Error{fmt::format("its output's name '{}' is empty or not unique", name)};
    }
    return {};
  }

  Status read_input() {
    const onnx::ValueInfoProto* input = nullptr;
    for (const onnx::ValueInfoProto& candidate : graph_.input()) {
      if (constants_.contains(candidate.name())) continue;  // old exporters list the weights as inputs too
      if (input != nullptr) return Error{"the network has several inputs; only one is supported"};
      input = &candidate;
    }
    if (input == nullptr) return Error{"the network has no input"};
    const auto& dims = input->type().tensor_type().shape().dim();
    if (input->type().tensor_type().elem_type() != onnx::TensorProto::FLOAT ||
        (dims.size() != 2 && dims.size() != 4)) {
      return Error{
          fmt::format("the input '{}' must be 32-bit floats of shape N x C x H x W or N x C", input->name())};
    }
    int sizes[] = {1, 1, 1, 1};
    for (int i = 1; i < dims.size(); ++i) {
      if (dims[i].dim_value() < 1 || dims[i].dim_value() > kMaxSize) {
        return Error{fmt::format(
            "the input '{}' must have a fixed channel number, height and width; only its batch can "
            "stay open",
            input->name())};
      }
      sizes[i] = static_cast<int>(dims[i].dim_value());
    }
    op::Input op;
    op.shape = {sizes[1], sizes[2], sizes[3]};
    return add_node(input->name(), op, {}, {.id = 0, .shape = op.shape, .rank = dims.size()}, input->name());
  }

  // Appends the node and makes its value known.
  Status add_node(const std::string& name, const Op& op, std::vector<NodeId> inputs, const Value& value,
                  const std::string& output) {
    const auto& [channels, height, width] = value.shape;
    if (channels > kMaxSize || height > kMaxSize || width > kMaxSize ||
        std::int64_t{height} * width > std::numeric_limits<int>::max() / channels) {
      return Error{fmt::format("its value of {} is too large", to_string(value.shape))};
    }
    segments_ += value.segments;
    if (segments_ > kMaxSegments) return Error{"the network concatenates too often"};
    CONCERTINA_TRY(add_value(output, value));
    nodes_.push_back({name, op, std::move(inputs)});
    return {};
  }

  Status read_node(const onnx::NodeProto& node) {
    const std::string& type = node.op_type();
    if (type == "Constant") return read_constant(node);
    if (type == "Identity" || type == "Dropout") return read_alias(node);
    if (node.output_size() != 1) return Error{"it does not have exactly one output"};

    std::vector<Value> values;
    std::vector<TensorView> constants;
    CONCERTINA_TRY(find_inputs(node, values, constants));
    std::vector<Shape> shapes;
    std::vector<int> ranks;
    std::vector<NodeId> inputs;
    Value made{.id = static_cast<NodeId>(nodes_.size()), .shape = {}, .rank = 0, .segments = 0};
    for (const Value& value : values) {
      shapes.push_back(value.shape);
      ranks.push_back(value.rank);
      inputs.push_back(value.id);
      made.segments += value.segments;
    }
    CONCERTINA_ASSIGN(const Op op, read_op({node, operator_set_, shapes, ranks, constants}));
    CONCERTINA_ASSIGN(made.shape, std::visit([&](const auto& o) { return o.output_shape(shapes); }, op));
    CONCERTINA_ASSIGN(made.rank, output_rank(op, ranks));
    if (makes_channels(op)) made.segments = 1;
    CONCERTINA_TRY(add_node(name_of(node), op, std::move(inputs), made, node.output(0)));
    return read_parameters(nodes_.back(), constants);
  }

  Status find_inputs(const onnx::NodeProto& node, std::vector<Value>& values,
                     std::vector<TensorView>& constants) const {
    int count = node.input_size();
    while (count > 0 && node.input(count - 1).empty()) --count;
    for (int i = 0; i < count; ++i) {
      const std::string& name = node.input(i);
      const auto constant = constants_.find(name);
      if (i > 0 && (name.empty() || constant != constants_.end())) {
        constants.push_back(name.empty() ? TensorView{} : constant->second);
        continue;
      }
      const auto value = values_.find(name);
      if (value == values_.end() || !constants.empty()) {
        return Error{fmt::format("it reads '{}', which is not the output of a node before it", name)};
      }
      values.push_back(value->second);
    }
    return {};
  }

  Status read_parameters(const Node& node, const std::vector<TensorView>& constants) {
    const auto list = std::visit([](const auto& op) { return op.parameters(); }, node.op);
    for (std::size_t i = 0; i < list.size(); ++i) {
      auto array = read_tensor(constants[i]);
      if (!array)
        return Error{fmt::format("array '{}': {}", constants[i].proto->name(), array.error().message)};
      values_left_ -= static_cast<std::int64_t>(array->values.size());
      if (values_left_ < 0) return Error{"arrays are shared by more nodes than is supported"};
      weights_.insert_or_assign(parameter_name(node, list[i]), std::move(array).value());
    }
    return {};
  }

  Status read_constant(const onnx::NodeProto& node) {
    if (node.output_size() != 1 || node.attribute_size() != 1 || !node.attribute(0).has_t()) {
      return Error{"only constants that are one array are supported"};
    }
    const onnx::TensorProto& tensor = node.attribute(0).t();
    return add_constant(node.output(0), {&tensor, tensor.raw_data()});
  }

  Status read_alias(const onnx::NodeProto& node) {
    const auto value = node.input_size() > 0 ? values_.find(node.input(0)) : values_.end();
    if (value == values_.end() || node.output_size() < 1) {
      return Error{"it does not read the output of a node before it"};
    }
    return add_value(node.output(0), Value(value->second));
  }

  Status check_output() const {
    if (graph_.output_size() != 1) {
      return Error{fmt::format("the network has {} outputs; exactly 1 is supported", graph_.output_size())};
    }
    const auto value = values_.find(graph_.output(0).name());
    if (value == values_.end()) {
      return Error{fmt::format("no node makes the network's output '{}'", graph_.output(0).name())};
    }
    if (value->second.id + 1 != static_cast<NodeId>(nodes_.size())) {
      return Error{
          fmt::format("the network's output '{}' is not made by the last node; remove unused nodes after it",
                      graph_.output(0).name())};
    }
    return {};
  }

  const onnx::GraphProto& graph_;
  const std::vector<std::string_view>& raw_data_;  // of each initializer
  std::int64_t operator_set_;
  std::int64_t values_left_;
  std::int64_t segments_ = 0;
  std::unordered_map<std::string, TensorView> constants_;
  std::unordered_map<std::string, Value> values_;
  std::vector<Node> nodes_;
  Weights weights_;
};

}  // namespace

Result<Network> from_onnx(const OnnxFile& file, std::int64_t most_values) {
  std::int64_t operator_set = 0;
  for (const onnx::OperatorSetIdProto& set : file.model.opset_import()) {
    if (set.domain().empty() || set.domain() == "ai.onnx") operator_set = set.version();
  }
  if (operator_set < 7) {
    return Error{
        fmt::format("its ONNX operator set is {}; export with operator set 7 or later", operator_set)};
  }
  return GraphReader(file, operator_set, most_values).read();
}

}  // namespace concertina
