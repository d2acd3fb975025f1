#include "onnx/graph_assembly.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/try.h"
#include "graph/edit.h"
#include "onnx/blocks_view.h"
#include "onnx/functions.h"
#include "onnx/rank.h"
#include "onnx/tensor.h"

namespace concertina::onnx {
namespace {

// Bounds the work that a small file can ask for: concatenations double the parts of an axis.
constexpr std::int64_t kMaxSegments = std::int64_t{1} << 20;

bool makes_channels(const Op& op) {
  const auto* conv = std::get_if<op::Conv>(&op);
  return std::holds_alternative<op::Linear>(op) || (conv != nullptr && !conv->depthwise());
}

/// The same for every channel, as ones and filters that blur, so that it may equal another by chance.
bool is_uniform(const Array& array) {
  const std::size_t count = array.values.size();
  const bool channels = array.shape.size() > 1 && array.shape[0] > 1;
  const std::size_t one = channels ? count / static_cast<std::size_t>(array.shape[0]) : 1;
  return std::equal(array.values.begin() + static_cast<std::ptrdiff_t>(one), array.values.end(),
                    array.values.begin());
}

template <typename T>
const T* find(const std::unordered_map<std::string, T>& all, const std::string& name) {
  const auto found = all.find(name);
  return found == all.end() ? nullptr : &found->second;
}

}  // namespace

const std::string& name_of(const onnx::NodeProto& node) {
  return node.name().empty() && node.output_size() > 0 ? node.output(0) : node.name();
}

const OnnxValue* GraphAssembly::find_value(const std::string& name) const {
  return find(values_, name);
}
const Constant* GraphAssembly::find_constant(const std::string& name) const {
  return find(constants_, name);
}
const std::string* GraphAssembly::output_name(const std::string& value) const {
  return find(output_names_, value);
}

Status GraphAssembly::add_constant(const std::string& name, Constant constant) {
  if (values_.contains(name) || !constants_.emplace(name, std::move(constant)).second) {
    return Error{fmt::format("two values are called '{}'", name)};
  }
  return {};
}

Status GraphAssembly::add_value(const std::string& name, const OnnxValue& value) {
  if (name.empty() || constants_.contains(name) || !values_.emplace(name, value).second) {
    return Error{fmt::format("its output's name '{}' is empty or not unique", name)};
  }
  ++names_of_[value.id];
  return {};
}

Status GraphAssembly::add_alias(const std::string& name, const OnnxValue& value) {
  RETURN_IF_ERROR(add_value(name, value));
  const bool input = std::holds_alternative<op::Input>(nodes_[value.id].op);
  if (output_name(name) && !input && !outputs_.contains(value.id)) rename(value.id, name);
  return {};
}

Status GraphAssembly::spend_segments(std::int64_t segments) {
  segments_ += segments;
  return segments_ <= kMaxSegments ? Status() : Status(Error{"the network concatenates too often"});
}

Status GraphAssembly::spend_values(std::int64_t count) {
  values_left_ -= count;
  return values_left_ >= 0 ? Status() : Status(Error{"arrays are shared by more nodes than is supported"});
}

void GraphAssembly::take_from(const std::vector<Constant>& constants) {
  origins_.clear();
  for (const Constant& constant : constants) origins_.push_back(constant.origin());
}

/// Whether two norms or PRelus stand behind layers of which one shares with the other.
bool GraphAssembly::follow_shared(NodeId id, NodeId other) const {
  const Op& op = nodes_[id].op;
  const bool number = std::holds_alternative<op::Scale>(op) || std::holds_alternative<op::Shift>(op);
  const auto before = partners_.find(nodes_[id].inputs[0]);
  return !number && before != partners_.end() && before->second == nodes_[other].inputs[0];
}

/// The node that owns a parameter of `other` if `id` can use it for its own; otherwise `id`.
NodeId GraphAssembly::owner_at(NodeId other, NodeId id, const Parameter& parameter,
                               const Array& array) const {
  const auto its = sources_.find({other, parameter.name});
  if (its == sources_.end() || its->second.origin != sources_.at({id, parameter.name}).origin) return id;
  const Node& owner = nodes_[its->second.owner];
  const std::vector<Parameter> list = parameters_of(owner.op);
  const bool fits = its->second.owner != id && owner.op.index() == nodes_[id].op.index() &&
                    std::find(list.begin(), list.end(), parameter) != list.end();
  return fits && weights_.at(parameter_name(owner, parameter)) == array ? its->second.owner : id;
}

/// Whether the array is an earlier node's.
bool GraphAssembly::share(NodeId id, int rank, const Parameter& parameter, std::size_t constant,
                          const Array& array) {
  const void* origin = constant < origins_.size() ? origins_[constant] : nullptr;
  if (!origin || !parameter.trainable) return false;
  NodeId& owner = (sources_[{id, parameter.name}] = {origin, id}).owner;
  const Use first = uses_.try_emplace(origin, Use{id, rank}).first->second;
  if (const auto partner = partners_.find(id); partner != partners_.end())
    owner = owner_at(partner->second, id, parameter, array);
  const bool evident = exact_ || !is_uniform(array) || follow_shared(id, first.node);
  if (owner == id && first.node != id && evident) {
    if (first.rank == rank) owner = owner_at(first.node, id, parameter, array);
    if (owner == id) {
      untied_.push_back(fmt::format("'{}' uses an array of '{}' in another way, so it gets a copy",
                                    nodes_[id].name, nodes_[first.node].name));
      values_left_ -= static_cast<std::int64_t>(untied_.back().size());
    }
  }
  if (owner != id) partners_.try_emplace(id, owner);
  return owner != id;
}

/// The array of a node that comes from constant number `constant`.
Status GraphAssembly::store_array(NodeId id, int rank, const Parameter& parameter, std::size_t constant,
                                  Array array) {
  constexpr std::int64_t kTimes = 16;  // reading costs less than keeping
  const auto count = static_cast<std::int64_t>(array.values.size());
  const bool shared = share(id, rank, parameter, constant, array);
  RETURN_IF_ERROR(spend_values(shared ? count / kTimes : count));
  if (!shared) weights_.insert_or_assign(parameter_name(nodes_[id], parameter), std::move(array));
  return {};
}

OnnxValue GraphAssembly::made(const Shape& shape, int rank, std::int64_t segments) const {
  return {.id = static_cast<NodeId>(nodes_.size()),
          .shape = shape,
          .rank = rank,
          .segments = segments,
          .view = rank == 2 ? View::vector(shape) : View::map(shape)};
}

Status GraphAssembly::add_node(const std::string& name, const Op& op, std::vector<NodeId> inputs,
                               const OnnxValue& value, const std::string& output) {
  const auto& [channels, height, width] = value.shape;
  if (channels > kMaxSize || height > kMaxSize || width > kMaxSize ||
      std::int64_t{height} * width > std::numeric_limits<int>::max() / channels) {
    return Error{fmt::format("its value of {} is too large", to_string(value.shape))};
  }
  RETURN_IF_ERROR(spend_segments(value.segments));
  RETURN_IF_ERROR(add_value(output, value));
  if (output_name(output)) outputs_.insert(value.id);
  nodes_.push_back({unique_name(name, output), op, std::move(inputs)});
  return {};
}

Status GraphAssembly::add_op(const std::string& name, OpWithArrays read, const std::vector<OnnxValue>& values,
                             const std::string& output) {
  std::vector<Shape> shapes;
  std::vector<int> ranks;
  std::vector<NodeId> inputs;
  std::int64_t segments = 0;
  for (const OnnxValue& value : values) {
    shapes.push_back(value.shape);
    ranks.push_back(value.rank);
    inputs.push_back(value.id);
    const bool joins = std::holds_alternative<op::Concat>(read.op);  // others follow one axis
    segments = joins ? segments + value.segments : std::max(segments, value.segments);
  }
  ASSIGN_OR_RETURN(const Shape shape,
                   std::visit([&](const auto& o) { return o.output_shape(shapes); }, read.op));
  ASSIGN_OR_RETURN(const int rank, output_rank(read.op, ranks));
  if (makes_channels(read.op)) segments = 1;
  if (const auto* blocks = std::get_if<op::SpaceToDepth>(&read.op)) segments *= blocks->pixels();
  const OnnxValue value = made(shape, rank, segments);
  RETURN_IF_ERROR(add_node(name, read.op, std::move(inputs), value, output));
  const std::vector<Parameter> list = parameters_of(read.op);
  for (std::size_t i = 0; i < list.size(); ++i)
    RETURN_IF_ERROR(store_array(value.id, rank, list[i], i, std::move(read.arrays[i])));
  return {};
}

Status GraphAssembly::add_in_layout(const onnx::NodeProto& node, OpWithArrays op,
                                    const std::vector<OnnxValue>& values) {
  const bool settled =
      std::all_of(values.begin(), values.end(), [](const OnnxValue& value) { return value.settled(); });
  const bool pair = std::holds_alternative<op::Add>(op.op) || std::holds_alternative<op::Mul>(op.op);
  if (settled && pair && values.size() == 2) {
    ASSIGN_OR_RETURN(const auto stretched, stretch(name_of(node), values));
    return add_op(name_of(node), std::move(op), stretched, node.output(0));
  }
  if (settled) return add_op(name_of(node), std::move(op), values, node.output(0));
  for (const OnnxValue& value : values) {
    if (value.spread || !value.view.repeats_to(values[0].view))
      return Error{"it reads values in two layouts, neither of which is a map's or a vector's"};
  }
  std::vector<OnnxValue> maps = values;
  for (OnnxValue& value : maps) {
    if (value.rank == values[0].rank) continue;
    if (value.rank == 4) return Error{"it reads a vector and a map in another layout"};
    const std::string map = hidden_name(name_of(node) + ".map");
    RETURN_IF_ERROR(add_op(name_of(node) + ".map", {op::AsMap{}, {}}, {value}, map));
    value = *find_value(map);
  }
  const std::string hidden = hidden_name(name_of(node));
  RETURN_IF_ERROR(add_op(name_of(node), std::move(op), maps, hidden));
  OnnxValue made = *find_value(hidden);
  made.view = values[0].view;
  return settle(node, std::move(made));
}

/// Add and Mul repeat one pixel, or one channel, along the other map. What they do not repeat by themselves
/// is stretched: a line of pixels, or a pixel of all channels beside a map of one. The larger comes first.
Result<std::vector<OnnxValue>> GraphAssembly::stretch(const std::string& name, std::vector<OnnxValue> pair) {
  const Shape &a = pair[0].shape, &b = pair[1].shape;
  const Shape whole{std::max(a.channels, b.channels), std::max(a.height, b.height),
                    std::max(a.width, b.width)};
  const auto fits = [](int size, int wanted) { return size == 1 || size == wanted; };
  for (OnnxValue& value : pair) {
    const auto [channels, height, width] = value.shape;
    if (value.rank != 4 || !fits(channels, whole.channels) || !fits(height, whole.height) ||
        !fits(width, whole.width))
      return pair;  // the op says what is wrong
    const OnnxValue& other = &value == &pair[0] ? pair[1] : pair[0];
    const bool all = height == whole.height && width == whole.width;
    const bool point = height == 1 && width == 1 && (channels < whole.channels || other.shape == whole);
    if (all || point) continue;
    op::Resize resize;
    resize.height = whole.height;
    resize.width = whole.width;
    resize.scale_h = op::Resize::exact_scale(0, height, whole.height);
    resize.scale_w = op::Resize::exact_scale(0, width, whole.width);
    const std::string stretched = hidden_name(name + ".stretched");
    RETURN_IF_ERROR(add_op(name + ".stretched", {resize, {}}, {value}, stretched));
    value = *find_value(stretched);
  }
  if (pair[0].shape != whole) std::swap(pair[0], pair[1]);
  return pair;
}

std::string GraphAssembly::hidden_name(const std::string& stem) const {
  return fmt::format("{}#{}", stem, nodes_.size());
}

Status GraphAssembly::add_constant_to(const onnx::NodeProto& node, const OnnxValue& value, Array array) {
  const std::string& read = find_value(node.input(0)) ? node.input(0) : node.input(1);
  if (exact_ || !joins_bias(read, value)) {
    op::Shift shift;
    shift.channels = value.shape.channels;
    return add_in_layout(node, {shift, {std::move(array)}}, {value});
  }
  Op& layer = nodes_[value.id].op;
  if (auto* conv = std::get_if<op::Conv>(&layer)) conv->bias = true;
  if (auto* linear = std::get_if<op::Linear>(&layer)) linear->bias = true;
  RETURN_IF_ERROR(store_array(value.id, value.rank, parameters_of(layer).back(), 0, std::move(array)));
  return add_alias(node.output(0), value);
}

Status GraphAssembly::settle(const onnx::NodeProto& node, OnnxValue value) {
  const View& view = value.view;
  const std::string& name = name_of(node);
  const std::string& output = node.output(0);
  const bool is_node = exact_ && node.op_type() == "Flatten";
  if (view.is_flat() && value.rank == 2 && !is_node) return add_alias(output, value);
  if (view.is_flat()) {
    op::Flatten flatten;
    flatten.pixels = value.shape.height * value.shape.width;
    const OnnxValue flat = made({static_cast<int>(value.shape.elements()), 1, 1}, 2, value.segments);
    return add_node(name, flatten, {value.id}, flat, output);
  }
  if (view.is_map() && value.rank == 2) {
    return add_node(name, op::AsMap{}, {value.id}, made(value.shape, 4, value.segments), output);
  }
  if (const auto groups = view.shuffled_groups(); groups && value.rank == 4) {
    op::ChannelShuffle shuffle;
    shuffle.groups = *groups;
    return add_node(name, shuffle, {value.id}, made(value.shape, 4, 1), output);
  }
  if (const auto blocks = find_blocks(view, value.shape); blocks && value.rank == 4) {
    OnnxValue map = value;
    map.view = View::map(value.shape);
    return add_op(name, {*blocks, {}}, {map}, output);
  }
  return add_alias(output, value);
}

Status GraphAssembly::add_opaque(const NotUnderstood& what, const Shape& shape, std::vector<NodeId> inputs,
                                 const OnnxValue& value, const std::string& output) {
  op::Opaque op;
  op.type = what.op;
  op.shape = shape;
  RETURN_IF_ERROR(add_node(what.node, op, std::move(inputs), value, output));
  opaque_.push_back({.node = nodes_.back().name, .op = what.op, .reason = what.reason});
  return {};
}

Result<ImportedNetwork> GraphAssembly::finish(std::vector<NodeId> outputs) {
  for (const auto& [array, source] : sources_) {
    const auto& [id, parameter] = array;
    if (source.owner == id) continue;
    const std::string& owner = nodes_[source.owner].name;
    RETURN_IF_ERROR(spend_values(static_cast<std::int64_t>(owner.size())));  // a name may be long
    nodes_[id].tied[parameter] = owner;
  }
  if (!exact_) recognise_functions(nodes_, weights_, outputs);
  prune(nodes_, outputs, weights_, /*inputs_too=*/false);
  std::unordered_set<std::string> nodes;
  for (const Node& node : nodes_) nodes.insert(node.name);
  std::erase_if(opaque_, [&](const NotUnderstood& one) { return !nodes.contains(one.node); });
  ASSIGN_OR_RETURN(Graph graph, Graph::make(std::move(nodes_), std::move(outputs)));
  return ImportedNetwork{.network = {std::move(graph), std::move(weights_)},
                         .opaque = std::move(opaque_),
                         .untied = std::move(untied_)};
}

std::string GraphAssembly::unique_name(const std::string& wanted, const std::string& output) {
  const std::string* named = output_name(output);
  const std::string& base = named ? *named : wanted;
  std::string name = base;
  while (!names_.insert(name).second) {
    int& suffix = suffixes_.try_emplace(base, 1).first->second;
    name = fmt::format("{}_{}", base, ++suffix);
  }
  return name;
}

/// A constant that alone follows a layer without a bias is its bias.
bool GraphAssembly::joins_bias(const std::string& read, const OnnxValue& value) const {
  const int* readers = find(readers_, read);
  if (!readers || *readers != 1 || output_name(read) || names_of_.at(value.id) != 1) return false;
  const Op& op = nodes_[value.id].op;
  const auto* conv = std::get_if<op::Conv>(&op);
  const auto* linear = std::get_if<op::Linear>(&op);
  return (conv && !conv->bias) || (linear && !linear->bias);
}

void GraphAssembly::rename(NodeId id, const std::string& output) {
  Node& node = nodes_[id];
  names_.erase(node.name);
  const std::string name = unique_name(node.name, output);
  for (const Parameter& parameter : parameters_of(node.op)) {
    auto array = weights_.extract(parameter_name(node, parameter));
    if (array.empty()) continue;  // it is another node's
    array.key() = fmt::format("{}.{}", name, parameter.name);
    weights_.insert(std::move(array));
  }
  node.name = name;
  outputs_.insert(id);
}

}  // namespace concertina::onnx
