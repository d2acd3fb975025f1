#include "onnx/graph_from_onnx.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <unordered_map>
#include <unordered_set>

#include "base/try.h"
#include "graph/prune.h"
#include "onnx/attributes.h"
#include "onnx/constant.h"
#include "onnx/op_from_onnx.h"
#include "onnx/rank.h"
#include "onnx/recognise.h"
#include "onnx/tensor.h"
#include "onnx/view.h"

namespace concertina {
namespace {

// Bounds the work that a small file can ask for: concatenations double the parts of an axis.
constexpr std::int64_t kMaxSegments = std::int64_t{1} << 20;

/// What a node of the graph makes, as ONNX sees it.
struct Value {
  NodeId id = 0;
  Shape shape;                // of the node
  int rank = 4;               // of the node: a map or a vector
  std::int64_t segments = 1;  // of its channel axis
  View view = View::map({});
};

bool makes_channels(const Op& op) {
  const auto* conv = std::get_if<op::Conv>(&op);
  return std::holds_alternative<op::Linear>(op) || (conv != nullptr && !conv->depthwise());
}

/// Does nothing to values outside of training.
bool is_alias(const std::string& type) {
  return type == "Identity" || type == "Dropout" || type == "Cast";
}

class GraphReader {
 public:
  GraphReader(const OnnxFile& file, std::int64_t operator_set, const FromOnnxOptions& options)
      : graph_(file.model.graph()),
        raw_data_(file.raw_data),
        operator_set_(operator_set),
        options_(options),
        values_left_(options.most_values),
        exact_(file.model.producer_name() == "concertina") {}

  Result<ImportedNetwork> read() {
    for (int i = 0; i < graph_.initializer_size(); ++i) {
      const onnx::TensorProto& tensor = graph_.initializer(i);
      CONCERTINA_TRY(add_constant(tensor.name(), Constant({&tensor, raw_data_[static_cast<std::size_t>(i)]})));
    }
    CONCERTINA_TRY(find_outputs());
    CONCERTINA_TRY(read_inputs());
    for (const onnx::NodeProto& node : graph_.node()) {
      Status status = read_node(node);
      if (!status && options_.import.opaque) status = add_opaque(node, status.error().message);
      if (!status) {
        return Error{
            fmt::format("node '{}' ({}): {}", name_of(node), node.op_type(), status.error().message)};
      }
    }
    CONCERTINA_ASSIGN(std::vector<NodeId> outputs, output_nodes());
    if (!exact_) recognise_functions(nodes_, weights_, outputs);
    prune(nodes_, outputs);
    drop_unused_arrays();
    CONCERTINA_ASSIGN(auto graph, Graph::make(std::move(nodes_), std::move(outputs)));
    return ImportedNetwork{.network = {std::move(graph), std::move(weights_)}, .opaque = std::move(not_understood_)};
  }

 private:
  static const std::string& name_of(const onnx::NodeProto& node) {
    return node.name().empty() && node.output_size() > 0 ? node.output(0) : node.name();
  }

  Status add_constant(const std::string& name, Constant constant) {
    if (values_.contains(name) || !constants_.emplace(name, std::move(constant)).second) {
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

  /// Names of outputs stay what they are, also if they are only other names of a node's value.
  Status find_outputs() {
    for (const onnx::ValueInfoProto& output : graph_.output()) output_names_.emplace(output.name(), output.name());
    for (int i = graph_.node_size() - 1; i >= 0; --i) {
      const onnx::NodeProto& node = graph_.node(i);
      if (node.input_size() > 0 && node.output_size() > 0 && is_alias(node.op_type())) {
        const auto output = output_names_.find(node.output(0));
        if (output != output_names_.end()) output_names_.emplace(node.input(0), std::string(output->second));
      }
      for (const std::string& input : node.input()) ++readers_[input];
    }
    return {};
  }

  Status read_inputs() {
    for (const onnx::ValueInfoProto& input : graph_.input()) {
      if (constants_.contains(input.name())) continue;  // old exporters list the weights as inputs too
      CONCERTINA_TRY(read_input(input));
    }
    return nodes_.empty() ? Status(Error{"the network has no input"}) : Status();
  }

  Status read_input(const onnx::ValueInfoProto& input) {
    const auto& dims = input.type().tensor_type().shape().dim();
    if (input.type().tensor_type().elem_type() != onnx::TensorProto::FLOAT ||
        (dims.size() != 2 && dims.size() != 4)) {
      return Error{
          fmt::format("the input '{}' must be 32-bit floats of shape N x C x H x W or N x C", input.name())};
    }
    const bool pixels_first = dims.size() == 4 && only_turned(input.name());
    int sizes[] = {1, 1, 1, 1};
    const bool given = options_.import.input && nodes_.empty();
    if (given) {
      const Shape& shape = *options_.import.input;
      sizes[1] = shape.channels;
      sizes[2] = shape.height;
      sizes[3] = shape.width;
      if (pixels_first) std::rotate(sizes + 1, sizes + 2, sizes + 4);
    }
    for (int i = 1; i < dims.size() && !given; ++i) {
      if (dims[i].dim_value() < 1 || dims[i].dim_value() > kMaxSize) {
        return Error{fmt::format(
            "the input '{}' leaves its channels, height or width open; say what they shall be with --input CxHxW",
            input.name())};
      }
      sizes[i] = static_cast<int>(dims[i].dim_value());
    }
    op::Input op;
    op.shape = pixels_first ? Shape{sizes[3], sizes[1], sizes[2]} : Shape{sizes[1], sizes[2], sizes[3]};
    if (dims.size() == 2) op.shape.height = op.shape.width = 1;
    Value value = made(op.shape, dims.size() == 2 ? 2 : 4, 1);
    constexpr int kPixelsFirst[] = {1, 2, 0};
    if (pixels_first) value.view = value.view.transposed(kPixelsFirst);
    if (dims.size() == 4 && dims[0].dim_value() > 0) batch_ = dims[0].dim_value();
    return add_node(input.name(), op, {}, value, input.name());
  }

  /// Whether all that read the value turn N x H x W x C to N x C x H x W.
  bool only_turned(const std::string& value) const {
    int readers = 0;
    for (const onnx::NodeProto& node : graph_.node()) {
      if (std::find(node.input().begin(), node.input().end(), value) == node.input().end()) continue;
      ++readers;
      if (node.op_type() != "Transpose" ||
          Attributes(node).list("perm") != std::vector<std::int64_t>{0, 3, 1, 2}) {
        return false;
      }
    }
    return readers > 0;
  }

  /// The value of the node that is added next.
  Value made(const Shape& shape, int rank, std::int64_t segments) const {
    return {.id = static_cast<NodeId>(nodes_.size()),
            .shape = shape,
            .rank = rank,
            .segments = segments,
            .view = rank == 2 ? View::vector(shape) : View::map(shape)};
  }

  std::string unique_name(const std::string& wanted, const std::string& output) {
    const auto named = output_names_.find(output);
    const std::string& base = named == output_names_.end() ? wanted : named->second;
    std::string name = base;
    for (int i = 2; !names_.insert(name).second; ++i) name = fmt::format("{}_{}", base, i);
    return name;
  }

  /// Appends the node and makes its value known.
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
    nodes_.push_back({unique_name(name, output), op, std::move(inputs)});
    return {};
  }

  Status read_node(const onnx::NodeProto& node) {
    const std::string& type = node.op_type();
    if (!node.domain().empty() && node.domain() != "ai.onnx") {
      return Error{fmt::format("the op's domain '{}' is not ONNX's own", node.domain())};
    }
    if (node.output_size() < 1) return Error{"it has no output"};
    if (type == "Constant") return read_constant(node);
    if (type == "Shape") return read_shape(node);
    std::vector<Value> values;
    std::vector<Constant> constants;
    bool constant_first = false;
    CONCERTINA_TRY(find_inputs(node, values, constants, constant_first));
    if (values.empty()) return fold_node(node, constants);
    if (is_alias(type)) return add_value(node.output(0), values[0]);
    if (type == "Reshape" || type == "Flatten" || type == "Transpose" || type == "Squeeze" ||
        type == "Unsqueeze") {
      CONCERTINA_ASSIGN(Value turned, turned_value(node, values[0], constants));
      return settle(node, std::move(turned));
    }
    if (type == "Gather") return read_gather(node, values[0], constants);
    if (type == "ReduceMean") return read_mean(node, values[0], constants);
    CONCERTINA_TRY(check_settled(node, values));
    if (type == "Split") return read_split(node, values[0], constants);
    if (type == "Neg" && values.size() == 1) return add_affine(node, values[0], -1, {});
    if (values.size() == 1 && constants.size() == 1 &&
        (type == "Add" || type == "Sub" || type == "Mul" || type == "Div")) {
      return read_arithmetic(node, values[0], constants[0], constant_first);
    }
    if (type == "Sub" || type == "Sum") return read_sum(node, std::move(values));
    if ((type == "Add" || type == "Mul") && values.size() == 2) larger_first(values);
    return read_plain(node, values, constants);
  }

  /// A node that is one op.
  Status read_plain(const onnx::NodeProto& node, const std::vector<Value>& values,
                    const std::vector<Constant>& constants) {
    std::vector<Shape> shapes;
    std::vector<int> ranks;
    for (const Value& value : values) {
      shapes.push_back(value.shape);
      ranks.push_back(value.rank);
    }
    CONCERTINA_ASSIGN(OpWithArrays read, read_op({node, operator_set_, shapes, ranks, constants}));
    if (!values[0].view.is_map() && !values[0].view.is_vector()) {
      CONCERTINA_TRY(reorder_columns(values[0].view, read));
    }
    return add_op(node, node.output(0), read, values);
  }

  /// The linear layer reads features in another order than a flattened map has; its weights take that one.
  Status reorder_columns(const View& view, OpWithArrays& read) const {
    const auto* linear = std::get_if<op::Linear>(&read.op);
    const std::vector<int> sizes = view.sizes();
    const bool fits = linear && sizes.size() == 1 && sizes[0] == linear->in_features;
    const auto order = fits ? view.flat_order() : std::nullopt;
    if (!order) return Error{"it reads values in an order that is neither a map's nor a vector's"};
    const Array old = read.arrays[0];
    const std::size_t columns = order->size();
    for (std::size_t row = 0; row < old.values.size(); row += columns) {
      for (std::size_t i = 0; i < columns; ++i) {
        read.arrays[0].values[row + static_cast<std::size_t>((*order)[i])] = old.values[row + i];
      }
    }
    return {};
  }

  Status add_op(const onnx::NodeProto& node, const std::string& output, OpWithArrays& read,
                std::vector<Value> values) {
    std::vector<Shape> shapes;
    std::vector<int> ranks;
    std::vector<NodeId> inputs;
    std::int64_t segments = 0;
    for (Value& value : values) {
      if (!value.view.is_map() && !value.view.is_vector()) {  // for a linear layer, see above
        CONCERTINA_ASSIGN(value, flattened(name_of(node) + ".flatten", value));
      }
      shapes.push_back(value.shape);
      ranks.push_back(value.rank);
      inputs.push_back(value.id);
      segments += value.segments;
    }
    CONCERTINA_ASSIGN(const Shape shape, std::visit([&](const auto& o) { return o.output_shape(shapes); }, read.op));
    CONCERTINA_ASSIGN(const int rank, output_rank(read.op, ranks));
    if (makes_channels(read.op)) segments = 1;
    CONCERTINA_TRY(
        add_node(name_of(node), read.op, std::move(inputs), made(shape, rank, segments), output));
    const auto list = std::visit([](const auto& op) { return op.parameters(); }, read.op);
    for (std::size_t i = 0; i < list.size(); ++i) {
      values_left_ -= static_cast<std::int64_t>(read.arrays[i].values.size());
      if (values_left_ < 0) return Error{"arrays are shared by more nodes than is supported"};
      weights_.insert_or_assign(parameter_name(nodes_.back(), list[i]), std::move(read.arrays[i]));
    }
    return {};
  }

  /// A value that is not known outside, of a node that another one needs before it.
  Result<Value> flattened(const std::string& name, const Value& value) {
    op::Flatten flatten;
    flatten.pixels = value.shape.height * value.shape.width;
    const Value flat = made({static_cast<int>(value.shape.elements()), 1, 1}, 2, value.segments);
    const std::string hidden = fmt::format("{}#{}", name, nodes_.size());
    CONCERTINA_TRY(add_node(name, flatten, {value.id}, flat, hidden));
    return flat;
  }

  Status find_inputs(const onnx::NodeProto& node, std::vector<Value>& values, std::vector<Constant>& constants,
                     bool& constant_first) const {
    int count = node.input_size();
    while (count > 0 && node.input(count - 1).empty()) --count;
    for (int i = 0; i < count; ++i) {
      const std::string& name = node.input(i);
      const auto constant = constants_.find(name);
      if (name.empty() || constant != constants_.end()) {
        constants.push_back(name.empty() ? Constant() : constant->second);
        continue;
      }
      const auto value = values_.find(name);
      if (value == values_.end()) {
        return Error{fmt::format("it reads '{}', which is not the output of a node before it", name)};
      }
      const std::string& type = node.op_type();
      const bool may_follow = type == "Add" || type == "Sub" || type == "Mul" || type == "Div";
      if (!constants.empty() && !may_follow) return Error{"it reads a value where a constant was expected"};
      constant_first = !constants.empty();
      values.push_back(value->second);
    }
    return {};
  }

  /// Operands of Concat and their like need the ordinary layout; a linear layer takes any flat one.
  static Status check_settled(const onnx::NodeProto& node, const std::vector<Value>& values) {
    const bool linear = node.op_type() == "Gemm" || node.op_type() == "MatMul";
    for (const Value& value : values) {
      const bool flat = linear && value.view.sizes().size() == 1;
      if (!value.view.is_map() && !value.view.is_vector() && !flat) {
        return Error{fmt::format("it reads {}, an order of values that is neither a map's nor a vector's",
                                 fmt::join(value.view.sizes(), "x"))};
      }
    }
    return {};
  }

  Status fold_node(const onnx::NodeProto& node, const std::vector<Constant>& constants) {
    std::vector<Known> known(constants.size());
    std::vector<const Known*> inputs;
    for (std::size_t i = 0; i < constants.size(); ++i) {
      if (constants[i].count() > values_left_) return Error{"it reads a larger constant than the file has"};
      if (!constants[i].left_out()) {
        CONCERTINA_ASSIGN(known[i], constants[i].known());
      }
      inputs.push_back(constants[i].left_out() ? nullptr : &known[i]);
    }
    if (is_alias(node.op_type()) && node.op_type() != "Cast" && inputs.size() == 1 && inputs[0]) {
      return add_constant(node.output(0), constants[0]);
    }
    CONCERTINA_ASSIGN(Known result, fold(node, inputs, values_left_));
    folded_ += static_cast<std::int64_t>(result.values.size());
    if (folded_ > 4 * options_.most_values) return Error{"constants are computed out of all proportion"};
    return add_constant(node.output(0), Constant(std::move(result)));
  }

  Status read_constant(const onnx::NodeProto& node) {
    if (node.attribute_size() != 1) return Error{"it is a constant of a kind that is not supported"};
    const onnx::AttributeProto& attribute = node.attribute(0);
    if (attribute.has_t()) {
      return add_constant(node.output(0), Constant({&attribute.t(), attribute.t().raw_data()}));
    }
    Known known;
    if (attribute.name() == "value_int") known.values = {static_cast<double>(attribute.i())};
    if (attribute.name() == "value_float") known.values = {attribute.f()};
    if (attribute.name() == "value_ints") known.values = {attribute.ints().begin(), attribute.ints().end()};
    if (attribute.name() == "value_floats") known.values = {attribute.floats().begin(), attribute.floats().end()};
    if (attribute.name().ends_with('s')) known.shape = {static_cast<int>(known.values.size())};
    if (known.values.empty()) return Error{"it is a constant of a kind that is not supported"};
    return add_constant(node.output(0), Constant(std::move(known)));
  }

  Status read_shape(const onnx::NodeProto& node) {
    const auto value = node.input_size() == 1 ? values_.find(node.input(0)) : values_.end();
    if (value == values_.end()) return Error{"it does not read the output of a node before it"};
    Known shape;
    shape.values = {batch_ > 0 ? static_cast<double>(batch_) : std::numeric_limits<double>::quiet_NaN()};
    for (const int size : value->second.view.sizes()) shape.values.push_back(size);
    Attributes attributes(node);
    const int rank = static_cast<int>(shape.values.size());
    const auto place = [&](int at) { return std::clamp(at < 0 ? at + rank : at, 0, rank); };
    const int begin = place(attributes.integer("start", 0, -8)), end = place(attributes.integer("end", rank, -8));
    CONCERTINA_TRY(attributes.done());
    if (begin < end) {
      shape.values.erase(shape.values.begin() + end, shape.values.end());
      shape.values.erase(shape.values.begin(), shape.values.begin() + begin);
    }
    shape.shape = {static_cast<int>(shape.values.size())};
    return add_constant(node.output(0), Constant(std::move(shape)));
  }

  /// The sizes behind the batch that a Reshape asks for.
  Result<std::vector<int>> wanted_sizes(const Value& value, const Constant& constant) const {
    CONCERTINA_ASSIGN(const Known known, constant.known());
    const auto listed = to_integers(known);
    const std::vector<int> old = value.view.sizes();
    if (listed.empty() || listed.size() > 8) return Error{"its shape is not a list of a few sizes"};
    if (listed[0] && *listed[0] > 1 && *listed[0] != batch_) return Error{"it changes the batch"};
    const bool batch_open = !listed[0] || *listed[0] != -1;
    std::vector<int> sizes;
    std::int64_t others = 1;
    for (std::size_t i = 1; i < listed.size(); ++i) {
      if (!listed[i] || *listed[i] < -1 || *listed[i] > kMaxSize) return Error{"its shape depends on the batch"};
      const bool copied = *listed[i] == 0 && i - 1 < old.size();
      sizes.push_back(copied ? old[i - 1] : static_cast<int>(*listed[i]));
      if (sizes.back() > 0) others = std::min(others * sizes.back(), kMaxSize * kMaxSize);
    }
    const auto open = std::find(sizes.begin(), sizes.end(), -1);
    if (open == sizes.end()) return sizes;
    if (!batch_open || others == 0) return Error{"its shape leaves two sizes open"};
    const std::int64_t size = value.shape.elements() / others;
    if (size > std::numeric_limits<int>::max()) return Error{"its result is too large"};
    *open = static_cast<int>(size);
    return sizes;
  }

  /// Axes as the dimensions behind the batch have them, sorted; `rank` counts the batch.
  Result<std::vector<int>> listed_axes(const onnx::NodeProto& node, const std::vector<Constant>& constants,
                                       int rank) const {
    std::vector<std::int64_t> listed = Attributes(node).list("axes");
    if (!constants.empty() && !constants[0].left_out()) {
      CONCERTINA_ASSIGN(const Known known, constants[0].known());
      for (const auto& axis : to_integers(known)) listed.push_back(axis.value_or(-rank));
    }
    std::vector<int> axes;
    for (const std::int64_t axis : listed) {
      const std::int64_t at = axis < 0 ? axis + rank : axis;
      if (at < 1 || at >= rank) return Error{fmt::format("its axis {} is the batch or none", axis)};
      axes.push_back(static_cast<int>(at) - 1);
    }
    std::sort(axes.begin(), axes.end());
    return axes;
  }

  Result<Value> turned_value(const onnx::NodeProto& node, Value value, const std::vector<Constant>& constants) {
    const std::string& type = node.op_type();
    std::vector<int> sizes = value.view.sizes();
    const int rank = static_cast<int>(sizes.size()) + 1;
    if (type == "Transpose") {
      const std::vector<std::int64_t> order = Attributes(node).list("perm");
      std::vector<std::int64_t> sorted = order;
      std::sort(sorted.begin(), sorted.end());
      std::vector<std::int64_t> all(static_cast<std::size_t>(rank));
      std::iota(all.begin(), all.end(), 0);
      if (sorted != all || order[0] != 0) return Error{"it moves the batch or is no permutation"};
      std::vector<int> behind;
      for (std::size_t i = 1; i < order.size(); ++i) behind.push_back(static_cast<int>(order[i]) - 1);
      value.view = value.view.transposed(behind);
      return value;
    }
    if (type == "Flatten") {
      const int axis = Attributes(node).integer("axis", 1, -8);
      if (axis != 1 && axis != 1 - rank) return Error{"it does not flatten from the channels on"};
      sizes = {static_cast<int>(value.shape.elements())};
    } else if (type == "Reshape") {
      if (constants.size() != 1 || constants[0].left_out()) return Error{"its shape is not constant"};
      if (Attributes(node).integer("allowzero", 0) != 0) return Error{"it allows sizes of zero"};
      CONCERTINA_ASSIGN(sizes, wanted_sizes(value, constants[0]));
    } else if (type == "Unsqueeze") {
      const std::size_t added = constants.empty() ? Attributes(node).list("axes").size()
                                                  : static_cast<std::size_t>(std::min<std::int64_t>(constants[0].count(), 8));
      CONCERTINA_ASSIGN(const auto axes, listed_axes(node, constants, rank + static_cast<int>(added)));
      for (const int axis : axes) {
        if (axis > static_cast<int>(sizes.size())) return Error{"its axes leave gaps"};
        sizes.insert(sizes.begin() + axis, 1);
      }
    } else {
      CONCERTINA_ASSIGN(auto axes, listed_axes(node, constants, rank));
      for (std::size_t i = 0; axes.empty() && i < sizes.size(); ++i) {
        if (sizes[i] == 1) axes.push_back(static_cast<int>(i));
      }
      axes.erase(std::unique(axes.begin(), axes.end()), axes.end());
      for (std::size_t i = axes.size(); i-- > 0;) {
        if (sizes[static_cast<std::size_t>(axes[i])] != 1) return Error{"it drops a dimension of several values"};
        sizes.erase(sizes.begin() + axes[i]);
      }
    }
    if (sizes.size() > 8) return Error{"its result has too many dimensions"};
    CONCERTINA_ASSIGN(value.view, value.view.reshaped(sizes));
    return value;
  }

  /// If the layout is again one that the graph knows, a node makes it so; otherwise it waits for the next turn.
  Status settle(const onnx::NodeProto& node, Value value) {
    const View& view = value.view;
    const std::string& name = name_of(node);
    const std::string& output = node.output(0);
    if (view.is_flat() && value.rank == 2 && !(exact_ && node.op_type() == "Flatten")) {
      return add_value(output, value);
    }
    if (view.is_flat()) {
      op::Flatten flatten;
      flatten.pixels = value.shape.height * value.shape.width;
      const Value flat = made({static_cast<int>(value.shape.elements()), 1, 1}, 2, value.segments);
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
    return add_value(output, value);
  }

  Status read_mean(const onnx::NodeProto& node, const Value& value, const std::vector<Constant>& constants) {
    const std::vector<int> sizes = value.view.sizes();
    CONCERTINA_ASSIGN(const auto axes, listed_axes(node, constants, static_cast<int>(sizes.size()) + 1));
    const bool keep = Attributes(node).integer("keepdims", 1) != 0;
    if (value.rank != 4 || axes.empty() || !value.view.are_pixels(axes)) {
      return Error{"it takes the mean of something else than all rows and columns of a map"};
    }
    Value pooled = made({value.shape.channels, 1, 1}, 4, value.segments);
    const View view = value.view.pooled(axes, keep);
    if (view.is_map()) return add_node(name_of(node), op::GlobalAveragePool{}, {value.id}, pooled, node.output(0));
    const std::string hidden = fmt::format("{}.map#{}", name_of(node), nodes_.size());
    CONCERTINA_TRY(add_node(name_of(node) + ".map", op::GlobalAveragePool{}, {value.id}, pooled, hidden));
    pooled.view = view;
    return settle(node, pooled);
  }

  /// One channel, or a run of them.
  Status read_gather(const onnx::NodeProto& node, const Value& value, const std::vector<Constant>& constants) {
    const int axis = Attributes(node).integer("axis", 0, -4);
    if (!value.view.is_map() && !value.view.is_vector()) return Error{"it gathers from an unusual order of values"};
    if (axis != 1 || constants.size() != 1) return Error{"it gathers something else than channels"};
    CONCERTINA_ASSIGN(const Known known, constants[0].known());
    const auto indices = to_integers(known);
    op::Slice slice;
    for (std::size_t i = 0; i < indices.size(); ++i) {
      const std::int64_t at = indices[i].value_or(-1) + (indices[i].value_or(-1) < 0 ? value.shape.channels : 0);
      if (at < 0 || at >= value.shape.channels || (i > 0 && at != slice.end)) {
        return Error{"its channels are not a run of those that there are"};
      }
      if (i == 0) slice.begin = static_cast<int>(at);
      slice.end = static_cast<int>(at) + 1;
    }
    if (indices.empty()) return Error{"it gathers nothing"};
    Value part = made({slice.end - slice.begin, value.shape.height, value.shape.width}, value.rank, value.segments);
    if (!known.shape.empty()) return add_node(name_of(node), slice, {value.id}, part, node.output(0));
    const std::string hidden = fmt::format("{}.channel#{}", name_of(node), nodes_.size());
    CONCERTINA_TRY(add_node(name_of(node), slice, {value.id}, part, hidden));
    std::vector<int> sizes = part.view.sizes();
    sizes.erase(sizes.begin());
    CONCERTINA_ASSIGN(part.view, part.view.reshaped(sizes));
    return add_value(node.output(0), part);
  }

  Status read_split(const onnx::NodeProto& node, const Value& value, const std::vector<Constant>& constants) {
    Attributes attributes(node);
    const int axis = attributes.integer("axis", 0, -4);
    std::vector<std::int64_t> parts = attributes.list("split");
    attributes.ignore("num_outputs");
    CONCERTINA_TRY(attributes.done());
    if (axis != 1 && axis != 1 - value.rank) return Error{"it splits something else than channels"};
    if (!constants.empty() && !constants[0].left_out()) {
      CONCERTINA_ASSIGN(const Known known, constants[0].known());
      for (const auto& part : to_integers(known)) parts.push_back(part.value_or(-1));
    }
    const int outputs = node.output_size(), channels = value.shape.channels;
    const int each = (channels + outputs - 1) / outputs;
    for (int i = 0; parts.empty() || static_cast<int>(parts.size()) < outputs; ++i) {
      parts.push_back(std::min(each, channels - i * each));
    }
    op::Slice slice;
    for (int i = 0; i < outputs; ++i) {
      const std::int64_t end = slice.end + parts[static_cast<std::size_t>(i)];
      if (parts[static_cast<std::size_t>(i)] < 1 || end > channels) return Error{"its parts do not fit the channels"};
      slice.begin = slice.end;
      slice.end = static_cast<int>(end);
      if (node.output(i).empty()) continue;
      const Shape shape{slice.end - slice.begin, value.shape.height, value.shape.width};
      CONCERTINA_TRY(add_node(fmt::format("{}.{}", name_of(node), i), slice, {value.id},
                              made(shape, value.rank, value.segments), node.output(i)));
    }
    return slice.end == channels ? Status() : Status(Error{"its parts do not fit the channels"});
  }

  /// A number for each channel, or one for all.
  Result<Array> per_channel(const Value& value, const Constant& constant) const {
    if (constant.count() > kMaxSize) return Error{"its constant is too large"};
    CONCERTINA_ASSIGN(Array array, constant.floats());
    const auto channels = static_cast<std::size_t>(value.shape.channels);
    const std::size_t behind = value.rank == 4 ? 2 : 0;
    const auto size = [&](std::size_t d) { return d < array.shape.size() ? array.shape[array.shape.size() - 1 - d] : 1; };
    const bool rows = behind == 0 || (size(0) == 1 && size(1) == 1);
    const bool fits = array.values.size() == 1 ||
                      (rows && size(behind) == value.shape.channels && array.values.size() == channels);
    if (!fits || array.shape.size() > static_cast<std::size_t>(value.rank)) {
      return Error{fmt::format("its constant of {} is not one number for each of {} channels",
                               fmt::join(array.shape, "x"), channels)};
    }
    if (array.values.size() == 1) array.values.assign(channels, array.values[0]);
    array.shape = {value.shape.channels};
    return array;
  }

  Status read_arithmetic(const onnx::NodeProto& node, const Value& value, const Constant& constant,
                         bool constant_first) {
    CONCERTINA_ASSIGN(Array array, per_channel(value, constant));
    const std::string& type = node.op_type();
    if (type == "Div" && constant_first) return Error{"it divides a constant by a value"};
    if (type == "Div") std::transform(array.values.begin(), array.values.end(), array.values.begin(), inverse);
    if (type == "Mul" || type == "Div") return add_affine(node, value, 1, std::move(array), true);
    if (type == "Sub" && !constant_first) std::transform(array.values.begin(), array.values.end(), array.values.begin(), std::negate<>());
    if (type != "Sub" || !constant_first) {
      if (!exact_ && joins_bias(node, value)) return add_bias(node, value, std::move(array));
      return add_affine(node, value, 1, std::move(array));
    }
    CONCERTINA_ASSIGN(const Value negative, scaled(node, value, -1));
    return add_affine(node, negative, 1, std::move(array));
  }

  static float inverse(float x) { return 1 / x; }

  /// Adds an array, or multiplies with it, or with `factor` where there is none.
  Status add_affine(const onnx::NodeProto& node, const Value& value, float factor, Array array,
                    bool multiply = false) {
    const bool scales = multiply || array.values.empty();
    if (array.values.empty()) {
      array = {.shape = {value.shape.channels},
               .values = std::vector<float>(static_cast<std::size_t>(value.shape.channels), factor)};
    }
    op::Scale scale;
    op::Shift shift;
    scale.channels = shift.channels = value.shape.channels;
    OpWithArrays read{scales ? Op{scale} : Op{shift}};
    read.arrays.push_back(std::move(array));
    return add_op(node, node.output(0), read, {value});
  }

  /// -1 times a value, of a node that is not known outside.
  Result<Value> scaled(const onnx::NodeProto& node, const Value& value, float factor) {
    op::Scale scale;
    scale.channels = value.shape.channels;
    OpWithArrays read{scale};
    read.arrays.push_back({.shape = {scale.channels},
                           .values = std::vector<float>(static_cast<std::size_t>(scale.channels), factor)});
    const std::string hidden = fmt::format("{}.negative#{}", name_of(node), nodes_.size());
    CONCERTINA_TRY(add_op(node, hidden, read, {value}));
    return values_.at(hidden);
  }

  /// A constant that alone follows a layer without a bias is its bias.
  bool joins_bias(const onnx::NodeProto& node, const Value& value) const {
    const std::string& read = values_.contains(node.input(0)) ? node.input(0) : node.input(1);
    const auto readers = readers_.find(read);
    if (readers == readers_.end() || readers->second != 1 || output_names_.contains(read)) return false;
    const Op& op = nodes_[static_cast<std::size_t>(value.id)].op;
    const auto* conv = std::get_if<op::Conv>(&op);
    const auto* linear = std::get_if<op::Linear>(&op);
    return (conv && !conv->bias) || (linear && !linear->bias);
  }

  Status add_bias(const onnx::NodeProto& node, const Value& value, Array bias) {
    Node& layer = nodes_[static_cast<std::size_t>(value.id)];
    if (auto* conv = std::get_if<op::Conv>(&layer.op)) conv->bias = true;
    if (auto* linear = std::get_if<op::Linear>(&layer.op)) linear->bias = true;
    values_left_ -= static_cast<std::int64_t>(bias.values.size());
    if (values_left_ < 0) return Error{"arrays are shared by more nodes than is supported"};
    if (output_names_.contains(node.output(0))) rename(layer, unique_name(layer.name, node.output(0)));
    weights_.insert_or_assign(layer.name + ".bias", std::move(bias));
    return add_value(node.output(0), value);
  }

  void rename(Node& layer, const std::string& name) {
    auto weight = weights_.extract(layer.name + ".weight");
    weight.key() = name + ".weight";
    weights_.insert(std::move(weight));
    layer.name = name;
  }

  /// a - b, or the sum of all, in pairs.
  Status read_sum(const onnx::NodeProto& node, std::vector<Value> values) {
    const bool minus = node.op_type() == "Sub";
    if (minus ? values.size() != 2 : values.empty()) return Error{"it reads the wrong number of values"};
    if (values.size() == 1) return add_value(node.output(0), values[0]);
    if (minus) {
      CONCERTINA_ASSIGN(values[1], scaled(node, values[1], -1));
    }
    Value sum = values[0];
    for (std::size_t i = 1; i < values.size(); ++i) {
      std::vector<Value> pair = {sum, values[i]};
      larger_first(pair);
      OpWithArrays read{op::Add{}};
      const bool last = i + 1 == values.size();
      const std::string output = last ? node.output(0) : fmt::format("{}.sum#{}", name_of(node), nodes_.size());
      CONCERTINA_TRY(add_op(node, output, read, std::move(pair)));
      sum = values_.at(output);
    }
    return {};
  }

  /// The operand that is spread over the other comes second.
  static void larger_first(std::vector<Value>& pair) {
    if (pair[0].shape.elements() < pair[1].shape.elements()) std::swap(pair[0], pair[1]);
  }

  Status add_opaque(const onnx::NodeProto& node, const std::string& reason) {
    const Error unchanged{reason};
    std::vector<NodeId> inputs;
    for (const std::string& input : node.input()) {
      const auto value = values_.find(input);
      if (value != values_.end()) inputs.push_back(value->second.id);
    }
    if (inputs.empty()) return unchanged;
    for (const std::string& output : node.output()) {
      if (output.empty() || values_.contains(output)) continue;
      const auto dims = declared_sizes(output);
      if (dims.size() != 1 && dims.size() != 3) return unchanged;
      op::Opaque op;
      op.type = node.op_type();
      op.shape = dims.size() == 1 ? Shape{dims[0], 1, 1} : Shape{dims[0], dims[1], dims[2]};
      CONCERTINA_TRY(add_node(name_of(node), op, inputs, made(op.shape, dims.size() == 1 ? 2 : 4, 1), output));
      not_understood_.push_back({.node = nodes_.back().name, .op = node.op_type(), .reason = reason});
    }
    return {};
  }

  /// The sizes behind the batch that the file declares for a value; none if it does not.
  std::vector<int> declared_sizes(const std::string& name) const {
    for (const auto* list : {&graph_.value_info(), &graph_.output()}) {
      for (const onnx::ValueInfoProto& info : *list) {
        if (info.name() != name) continue;
        std::vector<int> sizes;
        const auto& dims = info.type().tensor_type().shape().dim();
        for (int i = 1; i < dims.size(); ++i) {
          if (dims[i].dim_value() < 1 || dims[i].dim_value() > kMaxSize) return {};
          sizes.push_back(static_cast<int>(dims[i].dim_value()));
        }
        return sizes;
      }
    }
    return {};
  }

  Result<std::vector<NodeId>> output_nodes() const {
    if (graph_.output_size() == 0) return Error{"the network has no output"};
    std::vector<NodeId> outputs;
    for (const onnx::ValueInfoProto& output : graph_.output()) {
      const auto value = values_.find(output.name());
      if (value == values_.end()) {
        return Error{fmt::format("no node makes the network's output '{}'", output.name())};
      }
      if (!value->second.view.is_map() && !value->second.view.is_vector()) {
        return Error{fmt::format("the network's output '{}' is {}, which is neither a map N x C x H x W nor a vector N x C",
                                 output.name(), fmt::join(value->second.view.sizes(), "x"))};
      }
      outputs.push_back(value->second.id);
    }
    return outputs;
  }

  void drop_unused_arrays() {
    std::unordered_set<std::string> arrays;
    for (const Node& node : nodes_) {
      for (const Parameter& parameter : std::visit([](const auto& op) { return op.parameters(); }, node.op)) {
        arrays.insert(parameter_name(node, parameter));
      }
    }
    std::erase_if(weights_, [&](const auto& entry) { return !arrays.contains(entry.first); });
  }

  const onnx::GraphProto& graph_;
  const std::vector<std::string_view>& raw_data_;  // of each initializer
  std::int64_t operator_set_;
  const FromOnnxOptions& options_;
  std::int64_t values_left_;
  bool exact_;
  std::int64_t batch_ = 0;  // as the first input declares it; 0: open
  std::int64_t segments_ = 0;
  std::int64_t folded_ = 0;
  std::unordered_map<std::string, std::string> output_names_;  // by value: the output that it is
  std::unordered_map<std::string, int> readers_;               // by value
  std::unordered_map<std::string, Constant> constants_;
  std::unordered_map<std::string, Value> values_;
  std::unordered_set<std::string> names_;
  std::vector<Node> nodes_;
  Weights weights_;
  std::vector<NotUnderstood> not_understood_;
};

}  // namespace

Result<ImportedNetwork> from_onnx(const OnnxFile& file, const FromOnnxOptions& options) {
  std::int64_t operator_set = 0;
  for (const onnx::OperatorSetIdProto& set : file.model.opset_import()) {
    if (set.domain().empty() || set.domain() == "ai.onnx") operator_set = set.version();
  }
  if (operator_set < 7) {
    return Error{
        fmt::format("its ONNX operator set is {}; export with operator set 7 or later", operator_set)};
  }
  return GraphReader(file, operator_set, options).read();
}

}  // namespace concertina
