#include "runtime/lowering.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>

#include "base/try.h"
#include "runtime/fusion.h"
#include "runtime/pixel_layout.h"
#include "runtime/transposed.h"

namespace concertina::runtime {
namespace {

class Lowering {
 public:
  explicit Lowering(const Graph& graph)
      : graph_(graph), value_of_(static_cast<std::size_t>(graph.size()), kNone) {}

  Program run(Fusion fusion) {
    for (const Chain& chain : find_chains(graph_, fusion)) lower_chain(chain);
    for (const NodeId output : graph_.outputs()) program_.outputs.push_back(read(output));
    for (NodeId input = 0; input < graph_.inputs(); ++input) make_dense(read(input));
    return std::move(program_);
  }

 private:
  void lower_chain(const Chain& chain) {
    Operation operation{.node = chain.start,
                        .affine = chain.affine,
                        .act = chain.act,
                        .function = chain.function,
                        .slopes = chain.slopes,
                        .inputs = {}};
    for (const NodeId input : graph_.node(chain.start).inputs) operation.inputs.push_back(read(input));
    Value output = natural(chain.end);
    const bool done = std::visit([&](const auto& op) { return prepare(op, chain, operation, output); },
                                 graph_.node(chain.start).op);
    if (done) return;
    if (chain.add != kNone) operation.residual = moved(read(added_to(chain)), output);
    operation.output = add_value(output);
    program_.operations.push_back(operation);
    value_of_[chain.end] = moved(operation.output, natural(chain.end));
  }

  // Each op may ask for a special layout of its values; true means that there is nothing left to do.
  bool prepare(const op::Conv& op, const Chain&, Operation& operation, Value& output) {
    if (op.groups > 1 && !op.depthwise()) {
      operation.inputs[0] = joined(operation.inputs[0]);
      output.joined = output.axis.size() > 1;
    }
    if (op.transposed() && !has_parts(op)) operation.inputs[0] = dilated(operation.inputs[0], op);
    return false;
  }
  /// Sums over channels want them in one run.
  template <OneOf<op::GroupNorm, op::LocalResponseNorm, op::Softmax> Normalizing>
  bool prepare(const Normalizing&, const Chain&, Operation& operation, Value& output) {
    operation.inputs[0] = joined(operation.inputs[0]);
    output.joined = program_.value(operation.inputs[0]).joined;
    return false;
  }
  bool prepare(const op::ChannelReduce&, const Chain&, Operation& operation, Value&) {
    operation.inputs[0] = joined(operation.inputs[0]);
    return false;
  }
  bool prepare(const op::Combine&, const Chain& chain, Operation& operation, Value& output) {
    const Shape& other = graph_.shape(graph_.node(chain.start).inputs[1]);
    if (other.channels != graph_.shape(chain.start).channels) return false;
    Value like = output;
    like.height = other.height;
    like.width = other.width;
    operation.inputs[1] = moved(operation.inputs[1], like);
    return false;
  }
  /// Its channels are regrouped first, so that those of each pixel of the block lie together.
  bool prepare(const op::DepthToSpace& op, const Chain&, Operation& operation, Value& output) {
    const Value& input = program_.value(operation.inputs[0]);
    const Value parts = of_pixels(output.axis, op, input);
    const bool together =
        op.order == op::Blocks::Order::depth_column_row && same_layout(graph_.layout(), input, parts);
    if (!together) add_stage(operation, parts);
    return false;
  }
  /// Its channels are regrouped afterwards.
  bool prepare(const op::SpaceToDepth& op, const Chain&, Operation& operation, Value& output) {
    if (op.order == op::Blocks::Order::depth_column_row) return false;
    add_stage(operation, of_pixels(program_.value(operation.inputs[0]).axis, op, output));
    return false;
  }
  bool prepare(const op::Flatten& op, const Chain& chain, Operation& operation, Value&) {
    return op.pixels == 1 && is_alias(chain, operation);
  }
  bool prepare(const op::AsMap&, const Chain& chain, Operation& operation, Value&) {
    return is_alias(chain, operation);
  }
  template <OneOf<op::Input, op::BatchNorm, op::Activation, op::PRelu, op::Scale, op::Shift, op::MaxPool,
                  op::AveragePool, op::GlobalAveragePool, op::Linear, op::Concat, op::Slice, op::PadChannels,
                  op::ChannelShuffle, op::Pad, op::Resize, op::Opaque>
                Plain>
  bool prepare(const Plain&, const Chain&, Operation&, Value&) {
    return false;
  }

  /// A map of the size of `like` whose pixels hold the channels `axis` of each pixel of a block.
  static Value of_pixels(const ChannelAxis& axis, const op::Blocks& op, const Value& like) {
    Value value{.axis = {}, .height = like.height, .width = like.width};
    for (int i = 0; i < op.pixels(); ++i) value.axis.insert(value.axis.end(), axis.begin(), axis.end());
    return value;
  }

  /// The operation in two: one makes `between`, which the other reads.
  void add_stage(Operation& operation, const Value& between) {
    Operation first = operation;
    first.output = add_value(between);
    operation.inputs[0] = first.output;
    program_.operations.push_back(std::move(first));
  }

  /// What a chain gives is what it reads.
  bool is_alias(const Chain& chain, const Operation& operation) {
    value_of_[chain.end] = operation.inputs[0];
    return true;
  }

  /// An image has so few channels that padding would be most of it.
  void make_dense(ValueId image) {
    if (image == kNone || program_.value(image).spare) return;
    if (std::find(program_.outputs.begin(), program_.outputs.end(), image) != program_.outputs.end()) return;
    for (const Operation& operation : program_.operations) {
      if (operation.residual == image) return;
      const bool reads =
          std::find(operation.inputs.begin(), operation.inputs.end(), image) != operation.inputs.end();
      if (!reads) continue;
      const auto* conv =
          operation.node == kNone ? nullptr : std::get_if<op::Conv>(&graph_.node(operation.node).op);
      if (conv == nullptr || conv->groups > 1) return;
    }
    program_.values[image].dense = true;
  }

  /// The operand of the chain's addition that the chain does not compute itself.
  NodeId added_to(const Chain& chain) const {
    const NodeId own = chain.affine.empty() ? chain.start : chain.affine.back();
    const auto& inputs = graph_.node(chain.add).inputs;
    return inputs[0] == own ? inputs[1] : inputs[0];
  }

  ValueId read(NodeId node) const { return value_of_[node]; }

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
    program_.values[id].spare = true;
    Value copy = like;
    copy.spare = true;
    const ValueId to = add_value(std::move(copy));
    program_.operations.push_back({.inputs = {id}, .output = to});
    return to;
  }

  /// The value with zeros between its pixels.
  ValueId dilated(ValueId id, const op::Conv& conv) {
    Value copy = program_.value(id);
    const Shape shape = conv.dilated({1, copy.height, copy.width});
    if (shape.height == copy.height && shape.width == copy.width) return id;
    copy.height = shape.height;
    copy.width = shape.width;
    const ValueId to = add_value(std::move(copy));
    program_.operations.push_back({.inputs = {id}, .output = to});
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

Result<Program> lower(const Graph& graph, Fusion fusion) {
  for (NodeId id = 0; id < graph.size(); ++id) RETURN_IF_ERROR(check_node(graph, id));
  return Lowering(graph).run(fusion);
}

}  // namespace concertina::runtime
