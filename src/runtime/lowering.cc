#include "runtime/lowering.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>

#include "base/try.h"
#include "runtime/fusion.h"
#include "runtime/pixel_layout.h"

namespace concertina::runtime {
namespace {

class Lowering {
 public:
  explicit Lowering(const Graph& graph)
      : graph_(graph), value_of_(static_cast<std::size_t>(graph.size()), kNone) {}

  Program run() {
    for (const Chain& chain : find_chains(graph_)) lower_chain(chain);
    program_.output = read(graph_.output());
    make_input_dense();
    return std::move(program_);
  }

 private:
  void lower_chain(const Chain& chain) {
    FusedStep step{.node = chain.start, .norm = chain.norm, .act = chain.act, .inputs = {}};
    for (const NodeId input : graph_.node(chain.start).inputs) step.inputs.push_back(read(input));
    Value output = natural(chain.end);
    if (chain.add != kNone) step.residual = moved(read(added_to(chain)), output);
    const bool done = std::visit([&](const auto& op) { return prepare(op, chain, step, output); },
                                 graph_.node(chain.start).op);
    if (done) return;
    step.output = add_value(output);
    program_.steps.push_back(step);
    value_of_[static_cast<std::size_t>(chain.end)] = moved(step.output, natural(chain.end));
  }

  // Each op may ask for a special layout of its values; true means that there is nothing left to do.
  bool prepare(const op::Conv& op, const Chain&, FusedStep& step, Value&) {
    if (op.groups > 1 && !op.depthwise()) step.inputs[0] = joined(step.inputs[0]);
    return false;
  }
  bool prepare(const op::Softmax&, const Chain&, FusedStep& step, Value& output) {
    step.inputs[0] = joined(step.inputs[0]);
    output.joined = program_.value(step.inputs[0]).joined;
    return false;
  }
  bool prepare(const op::Add&, const Chain&, FusedStep& step, Value& output) {
    step.inputs[1] = moved(step.inputs[1], output);
    return false;
  }
  bool prepare(const op::Flatten& op, const Chain& chain, FusedStep& step, Value&) {
    if (op.pixels != 1) return false;
    value_of_[static_cast<std::size_t>(chain.end)] = step.inputs[0];
    return true;
  }
  bool prepare(const op::Input&, const Chain&, FusedStep&, Value&) { return false; }
  bool prepare(const op::BatchNorm&, const Chain&, FusedStep&, Value&) { return false; }
  bool prepare(const op::Relu&, const Chain&, FusedStep&, Value&) { return false; }
  bool prepare(const op::Relu6&, const Chain&, FusedStep&, Value&) { return false; }
  bool prepare(const op::MaxPool&, const Chain&, FusedStep&, Value&) { return false; }
  bool prepare(const op::AveragePool&, const Chain&, FusedStep&, Value&) { return false; }
  bool prepare(const op::GlobalAveragePool&, const Chain&, FusedStep&, Value&) { return false; }
  bool prepare(const op::Linear&, const Chain&, FusedStep&, Value&) { return false; }
  bool prepare(const op::Concat&, const Chain&, FusedStep&, Value&) { return false; }
  bool prepare(const op::Opaque&, const Chain&, FusedStep&, Value&) { return false; }

  /// An image has so few channels that padding would be most of it.
  void make_input_dense() {
    const ValueId image = read(graph_.input());
    if (image == program_.output || program_.value(image).spare) return;
    for (const FusedStep& step : program_.steps) {
      if (step.residual == image) return;
      const bool reads = std::find(step.inputs.begin(), step.inputs.end(), image) != step.inputs.end();
      if (!reads) continue;
      const auto* conv = step.node == kNone ? nullptr : std::get_if<op::Conv>(&graph_.node(step.node).op);
      if (conv == nullptr || conv->groups > 1) return;
    }
    program_.values[static_cast<std::size_t>(image)].dense = true;
  }

  /// The operand of the chain's addition that the chain does not compute itself.
  NodeId added_to(const Chain& chain) const {
    const NodeId own = chain.norm != kNone ? chain.norm : chain.start;
    const auto& inputs = graph_.node(chain.add).inputs;
    return inputs[0] == own ? inputs[1] : inputs[0];
  }

  ValueId read(NodeId node) const { return value_of_[static_cast<std::size_t>(node)]; }

  Value natural(NodeId node) const {
    const Shape& shape = graph_.shape(node);
    return {.axis = graph_.axis(node), .height = shape.height, .width = shape.width};
  }

  ValueId add_value(Value value) {
    program_.values.push_back(std::move(value));
    return static_cast<ValueId>(program_.values.size()) - 1;
  }

  /// The value, in the layout of `like`.
  ValueId moved(ValueId id, const Value& like) {
    if (same_layout(graph_.layout(), program_.value(id), like)) return id;
    program_.values[static_cast<std::size_t>(id)].spare = true;
    Value copy = like;
    copy.spare = true;
    const ValueId to = add_value(std::move(copy));
    program_.steps.push_back({.inputs = {id}, .output = to});
    return to;
  }

  ValueId joined(ValueId id) {
    Value like = program_.value(id);
    like.joined = like.axis.size() > 1;
    return moved(id, like);
  }

  const Graph& graph_;
  std::vector<ValueId> value_of_;  ///< by node
  Program program_;
};

Status check_node(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (const auto* opaque = std::get_if<op::Opaque>(&node.op)) {
    return Error{
        fmt::format("node '{}' is the op {}, which the runtime cannot run; replace it before training",
                    node.name, opaque->type)};
  }
  const Shape& shape = graph.shape(id);
  if (std::int64_t{shape.height} * shape.width > std::numeric_limits<int>::max()) {
    return Error{fmt::format("node '{}' makes a map of {}, which is too large", node.name, to_string(shape))};
  }
  return {};
}

}  // namespace

Result<Program> lower(const Graph& graph) {
  for (NodeId id = 0; id < graph.size(); ++id) CONCERTINA_TRY(check_node(graph, id));
  return Lowering(graph).run();
}

}  // namespace concertina::runtime
