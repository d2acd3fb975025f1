#include "onnx/graph_from_onnx.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <unordered_map>
#include <unordered_set>

#include "base/try.h"
#include "onnx/attributes.h"
#include "onnx/desugar.h"
#include "onnx/desugar_source.h"
#include "onnx/graph_assembly.h"
#include "onnx/layout_from_onnx.h"
#include "onnx/norms_in_parts.h"
#include "onnx/rounded_values.h"
#include "onnx/tensor.h"

namespace concertina::onnx {
namespace {

// Bounds the work that a strange node can ask for.
constexpr std::size_t kMaxInputs = 256;

bool is_float(std::int64_t type) {
  return type == onnx::TensorProto::FLOAT || type == onnx::TensorProto::FLOAT16 ||
         type == onnx::TensorProto::BFLOAT16 || type == onnx::TensorProto::DOUBLE;
}

/// Does nothing to values outside of training.
bool is_alias(const std::string& type) {
  return type == "Identity" || type == "Dropout" || type == "Cast";
}

/// Gives the values that it reads.
bool passes_on(const std::string& type) {
  return is_alias(type) || type == "DequantizeLinear";
}

/// Computes every value by itself or with its channel's constants, in any layout.
bool is_arithmetic(const std::string& type) {
  return type == "Add" || type == "Sub" || type == "Mul" || type == "Div";
}

/// Makes as many values as it reads, whatever it does to them.
bool keeps_shape(const std::string& type) {
  constexpr std::string_view kTypes[] = {
      "Softmax", "LogSoftmax", "Pow", "LayerNormalization", "GroupNormalization", "InstanceNormalization",
      "LRN",     "Clip"};
  return std::find(std::begin(kTypes), std::end(kTypes), type) != std::end(kTypes);
}

/// Turns N x H x W x C to N x C x H x W.
bool turns_pixels_first(const onnx::NodeProto& node) {
  return node.op_type() == "Transpose" &&
         Attributes(node).list("perm") == std::vector<std::int64_t>{0, 3, 1, 2};
}

class GraphReader {
 public:
  GraphReader(const OnnxFile& file, std::int64_t operator_set, const FromOnnxOptions& options)
      : graph_(file.model.graph()),
        raw_data_(file.raw_data),
        operator_set_(operator_set),
        options_(options),
        assembly_(options.most_values, file.model.producer_name() == "concertina") {}

  Result<ImportedNetwork> read() {
    for (int i = 0; i < graph_.initializer_size(); ++i) {
      const onnx::TensorProto& tensor = graph_.initializer(i);
      const bool left_out = options_.stripped && raw_data_[i].empty() && tensor.float_data().empty();
      RETURN_IF_ERROR(assembly_.add_constant(tensor.name(), Constant({&tensor, raw_data_[i], left_out})));
    }
    find_outputs();
    RETURN_IF_ERROR(read_inputs());
    find_norms_in_parts();
    for (int i = 0; i < graph_.node_size(); ++i) RETURN_IF_ERROR(read_next(i));
    ASSIGN_OR_RETURN(std::vector<NodeId> outputs, output_nodes());
    ASSIGN_OR_RETURN(ImportedNetwork imported, assembly_.finish(std::move(outputs)));
    imported.left_off = std::move(left_off_);
    imported.unrounded = unrounded_;
    return imported;
  }

 private:
  void find_norms_in_parts() {
    if (assembly_.is_exact()) return;
    for (NormInParts& norm : find_norms(graph_, raw_data_)) {
      inside_norms_.insert(norm.nodes.begin(), norm.nodes.end() - 1);
      const int last = norm.nodes.back();
      norms_.emplace(last, std::move(norm));
    }
  }

  /// A norm in parts is read at its last node, as one, or where that fails as all that it is made of.
  Status read_next(int i) {
    if (inside_norms_.contains(i)) return {};
    const auto norm = norms_.find(i);
    if (norm == norms_.end()) return read_or_leave(graph_.node(i));
    if (read_norm_in_parts(assembly_, graph_.node(i), norm->second)) return {};
    for (const int part : norm->second.nodes) RETURN_IF_ERROR(read_or_leave(graph_.node(part)));
    return {};
  }

  /// Reads the node, or takes it to be opaque.
  Status read_or_leave(const onnx::NodeProto& node) {
    Status status = read_node(node);
    if (!status && options_.import.opaque) status = add_opaque(node, status.error().message);
    if (status) return {};
    return Error{fmt::format("node '{}' ({}): {}{}", name_of(node), node.op_type(), status.error().message,
                             not_understood_before())};
  }

  /// Names of outputs stay what they are, also if they are only other names of a node's value.
  void find_outputs() {
    for (const auto* list : {&graph_.value_info(), &graph_.output()}) {
      for (const onnx::ValueInfoProto& info : *list) declared_.emplace(info.name(), &info);
    }
    for (const onnx::ValueInfoProto& output : graph_.output())
      assembly_.name_output(output.name(), output.name());
    for (int i = graph_.node_size() - 1; i >= 0; --i) {
      const onnx::NodeProto& node = graph_.node(i);
      if (node.input_size() > 0 && node.output_size() > 0 && passes_on(node.op_type())) {
        const std::string* output = assembly_.output_name(node.output(0));
        if (output) assembly_.name_output(node.input(0), std::string(*output));
      }
      const bool turns = turns_pixels_first(node) ||
                         (is_arithmetic(node.op_type()) && node.output_size() == 1 &&
                          turned_.contains(node.output(0)) && !read_otherwise_.contains(node.output(0)));
      for (const std::string& input : node.input()) {
        assembly_.count_reader(input);
        (turns ? turned_ : read_otherwise_).insert(input);
      }
    }
  }

  Status read_inputs() {
    for (const onnx::ValueInfoProto& input : graph_.input()) {
      if (assembly_.find_constant(input.name())) continue;  // old exporters list the weights as inputs too
      RETURN_IF_ERROR(read_input(input));
    }
    return assembly_.empty() ? Status(Error{"the network has no input"}) : Status();
  }

  Status read_input(const onnx::ValueInfoProto& input) {
    const auto& dims = input.type().tensor_type().shape().dim();
    if (!is_float(input.type().tensor_type().elem_type()) || (dims.size() != 2 && dims.size() != 4)) {
      return Error{fmt::format(
          "the input '{}' must be floats of shape N x C x H x W or N x C{}", input.name(),
          dims.size() == 3 ? "; write a network of lines, N x C x L, with maps of one row, N x C x 1 x L"
                           : "")};
    }
    const bool pixels_first =
        dims.size() == 4 && turned_.contains(input.name()) && !read_otherwise_.contains(input.name());
    int sizes[] = {1, 1, 1, 1};
    const bool given = options_.import.input && assembly_.empty();
    if (given) {
      const Shape& shape = *options_.import.input;
      sizes[1] = shape.channels;
      sizes[2] = shape.height;
      sizes[3] = shape.width;
      if (pixels_first) std::rotate(sizes + 1, sizes + 2, sizes + 4);
    }
    for (int i = 1; i < dims.size() && !given; ++i) {
      if (dims[i].dim_value() < 1 || dims[i].dim_value() > kMaxSize) {
        return Error{
            fmt::format("the input '{}' leaves its channels, height or width open; say what they shall be "
                        "with concertina-train import FILE --input CxHxW",
                        input.name())};
      }
      sizes[i] = static_cast<int>(dims[i].dim_value());
    }
    op::Input op;
    op.shape = pixels_first ? Shape{sizes[3], sizes[1], sizes[2]} : Shape{sizes[1], sizes[2], sizes[3]};
    if (dims.size() == 2) op.shape.height = op.shape.width = 1;
    OnnxValue value = assembly_.made(op.shape, dims.size() == 2 ? 2 : 4, 1);
    constexpr int kPixelsFirst[] = {1, 2, 0};
    if (pixels_first) value.view = value.view.transposed(kPixelsFirst);
    if (dims.size() == 4 && dims[0].dim_value() > 0) batch_ = dims[0].dim_value();
    return assembly_.add_node(input.name(), op, {}, value, input.name());
  }

  Status read_node(const onnx::NodeProto& node) {
    const std::string& type = node.op_type();
    if (!node.domain().empty() && node.domain() != "ai.onnx") {
      const bool of_runtime = node.domain().starts_with("com.microsoft");
      return Error{fmt::format("the op's domain '{}' is not ONNX's own{}", node.domain(),
                               of_runtime ? "; ONNX Runtime's optimiser wrote it, so take the file as it was "
                                            "before it was optimised"
                                          : "")};
    }
    if (node.output_size() < 1) return Error{"it has no output"};
    if (type == "Constant") return read_constant(node);
    if (type == "Shape") return read_shape(node);
    std::vector<OnnxValue> values;
    std::vector<Constant> constants;
    bool constant_first = false;
    RETURN_IF_ERROR(find_inputs(node, values, constants, constant_first));
    if (type == "QuantizeLinear" ||
        (type == "DequantizeLinear" && node.input_size() > 0 && rounded_.contains(node.input(0))))
      return read_rounding(node, values, constants, constant_first);
    RETURN_IF_ERROR(check_reads_floats(node));
    if (values.empty()) return fold_node(node, constants);
    assembly_.take_from(constants);
    if (is_alias(type)) return read_alias(node, values[0]);
    if (type == "ArgMax") return read_arg_max(node, values[0]);
    RETURN_IF_ERROR(unspread(type, values));
    if (is_layout_op(type)) {
      ASSIGN_OR_RETURN(values[0].view, laid_out(node, values[0].view, constants, batch_));
      return assembly_.settle(node, std::move(values[0]));
    }
    ASSIGN_OR_RETURN(const bool done,
                     desugar({assembly_, node, values, constants, constant_first, operator_set_, batch_}));
    if (done) return {};
    if (constant_first && type != "Concat") return Error{"it reads a constant where a value was expected"};
    if ((type == "Add" || type == "Mul") && values.size() == 2) larger_first(values);
    return read_plain(node, std::move(values), constants);
  }

  Status read_alias(const onnx::NodeProto& node, const OnnxValue& value) {
    if (node.op_type() == "Cast" && !is_float(Attributes(node).integer("to", 0)))
      return Error{"it casts to another type than floats"};
    return assembly_.add_alias(node.output(0), value);
  }

  /// Of a constant, which stays as it is, or of a value, which is limited. Exporters leave out a ReLU or a
  /// Clip whose limits are those of the 8 bits.
  Status read_rounding(const onnx::NodeProto& node, const std::vector<OnnxValue>& values,
                       const std::vector<Constant>& constants, bool constant_first) {
    const bool constant = values.empty();
    if (values.size() > 1 || constant_first || (constant && constants.empty()))
      return Error{"its scale or zero point is no constant"};
    const auto parameters = std::span(constants).subspan(constant ? 1 : 0);
    for (const Constant& parameter : parameters) RETURN_IF_ERROR(spend_folding(parameter.count()));
    if (node.op_type() == "DequantizeLinear") {
      RETURN_IF_ERROR(rounded_.dequantize(node, parameters));
    } else {
      RETURN_IF_ERROR(rounded_.quantize(node, parameters));
      if (!constant) {
        ++unrounded_;
        ASSIGN_OR_RETURN(const Saturation limits, rounded_.saturation(node.output(0)));
        return assembly_.add_in_layout(
            node, {op::activation(op::Function::clip, limits.low, limits.high), {}}, values);
      }
    }
    return constant ? assembly_.add_constant(node.output(0), constants[0])
                    : assembly_.add_alias(node.output(0), values[0]);
  }

  /// The steps of 8 bits are no floats.
  Status check_reads_floats(const onnx::NodeProto& node) const {
    for (const std::string& input : node.input()) {
      if (rounded_.contains(input))
        return Error{"it reads a value in 8 bits, which only a DequantizeLinear may"};
    }
    return {};
  }

  Status find_inputs(const onnx::NodeProto& node, std::vector<OnnxValue>& values,
                     std::vector<Constant>& constants, bool& constant_first) const {
    int count = node.input_size();
    while (count > 0 && node.input(count - 1).empty()) --count;
    for (int i = 0; i < count; ++i) {
      const std::string& name = node.input(i);
      const Constant* constant = assembly_.find_constant(name);
      if (name.empty() || constant) {
        constants.push_back(name.empty() ? Constant() : *constant);
        continue;
      }
      const OnnxValue* value = assembly_.find_value(name);
      if (!value)
        return Error{fmt::format("it reads '{}', which is not the output of a node before it", name)};
      constant_first = constant_first || !constants.empty();
      values.push_back(*value);
    }
    return {};
  }

  /// Arithmetic repeats the smaller operand as an Expand would.
  static Status unspread(const std::string& type, std::vector<OnnxValue>& values) {
    for (OnnxValue& value : values) {
      if (!value.spread) continue;
      const bool pair = is_arithmetic(type) && values.size() == 2;
      const OnnxValue& other = &value == &values[0] ? values.back() : values[0];
      if (!pair || other.spread || other.shape != *value.spread) {
        return Error{
            fmt::format("it reads {} values that an Expand has repeated to {}, which is not supported",
                        to_string(value.shape), to_string(*value.spread))};
      }
      value.spread.reset();
    }
    return {};
  }

  /// The class with the largest score: with or without it, the answer is the same.
  Status read_arg_max(const onnx::NodeProto& node, const OnnxValue& value) {
    Attributes attributes(node);
    const int axis = attributes.integer("axis", 0, -4);
    attributes.ignore("keepdims");
    attributes.ignore("select_last_index");
    RETURN_IF_ERROR(attributes.done());
    if (!assembly_.output_name(node.output(0)) || !value.settled() || (axis != 1 && axis != 1 - value.rank))
      return Error{"it is understood at the end of a network only, over the channels"};
    left_off_.push_back(fmt::format("the ArgMax '{}'", name_of(node)));
    return assembly_.add_alias(node.output(0), value);
  }

  /// A node that is one op. A linear layer takes its features in any order.
  Status read_plain(const onnx::NodeProto& node, std::vector<OnnxValue> values,
                    const std::vector<Constant>& constants) {
    std::vector<Shape> shapes;
    std::vector<int> ranks;
    for (const OnnxValue& value : values) {
      shapes.push_back(value.shape);
      ranks.push_back(value.rank);
    }
    ASSIGN_OR_RETURN(OpWithArrays read, read_op({node, operator_set_, shapes, ranks, constants}));
    // What treats every value by itself may be in any layout, which stays.
    const bool by_value = std::holds_alternative<op::Activation>(read.op) ||
                          std::holds_alternative<op::Add>(read.op) ||
                          std::holds_alternative<op::Mul>(read.op);
    if (by_value) return assembly_.add_in_layout(node, std::move(read), values);
    for (OnnxValue& value : values) {
      if (value.settled()) continue;
      RETURN_IF_ERROR(reorder_columns(value.view, read));
      ASSIGN_OR_RETURN(value, flattened(name_of(node) + ".flatten", value));
    }
    return assembly_.add_op(name_of(node), std::move(read), values, node.output(0));
  }

  Result<OnnxValue> flattened(const std::string& name, const OnnxValue& value) {
    op::Flatten flatten;
    flatten.pixels = value.shape.height * value.shape.width;
    const OnnxValue flat =
        assembly_.made({static_cast<int>(value.shape.elements()), 1, 1}, 2, value.segments);
    RETURN_IF_ERROR(assembly_.add_node(name, flatten, {value.id}, flat, assembly_.hidden_name(name)));
    return flat;
  }

  /// The linear layer reads features in another order than a flattened map has; its weights take that one.
  Status reorder_columns(const View& view, OpWithArrays& read) const {
    const auto* linear = std::get_if<op::Linear>(&read.op);
    const std::vector<int> sizes = view.sizes();
    const bool fits = linear && sizes.size() == 1 && sizes[0] == linear->in_features;
    const auto order = fits ? view.flat_order() : std::nullopt;
    if (!order) {
      return Error{fmt::format("it reads {}, an order of values that is neither a map's nor a vector's",
                               fmt::join(sizes, "x"))};
    }
    const Array old = read.arrays[0];
    const std::size_t columns = order->size();
    for (std::size_t row = 0; row < old.values.size(); row += columns) {
      for (std::size_t i = 0; i < columns; ++i) {
        read.arrays[0].values[row + static_cast<std::size_t>((*order)[i])] = old.values[row + i];
      }
    }
    return {};
  }

  /// Bounds what constants are read and computed to the order of the file.
  Status spend_folding(std::int64_t values) {
    constexpr std::int64_t kTimes = 16;
    folded_ += values;
    return folded_ <= kTimes * options_.most_values
               ? Status()
               : Status(Error{"constants are computed out of all proportion"});
  }

  Status fold_node(const onnx::NodeProto& node, const std::vector<Constant>& constants) {
    if (is_alias(node.op_type()) && node.op_type() != "Cast" && !constants.empty()) {
      return assembly_.add_constant(node.output(0), constants[0]);
    }
    std::vector<std::shared_ptr<const FoldedTensor>> tensors(constants.size());
    std::vector<const FoldedTensor*> inputs;
    std::size_t largest = 0;
    for (std::size_t i = 0; i < constants.size(); ++i) {
      if (constants[i].count() > constants[largest].count()) largest = i;
      if (!constants[i].left_out()) {
        RETURN_IF_ERROR(spend_folding(constants[i].count()));
        ASSIGN_OR_RETURN(tensors[i], constants[i].tensor());
      }
      inputs.push_back(tensors[i].get());
    }
    ASSIGN_OR_RETURN(FoldedTensor result, fold(node, inputs, assembly_.values_left()));
    RETURN_IF_ERROR(spend_folding(static_cast<std::int64_t>(result.values.size())));
    const void* origin = constants.empty() ? nullptr : constants[largest].origin();
    return assembly_.add_constant(node.output(0), Constant(std::move(result), origin));
  }

  Status read_constant(const onnx::NodeProto& node) {
    if (node.attribute_size() != 1) return Error{"it is a constant of a kind that is not supported"};
    const onnx::AttributeProto& attribute = node.attribute(0);
    if (attribute.has_t()) {
      return assembly_.add_constant(node.output(0), Constant({&attribute.t(), attribute.t().raw_data()}));
    }
    FoldedTensor tensor;
    if (attribute.name().starts_with("value_int")) tensor.type = FoldedTensor::Type::integer;
    if (attribute.name() == "value_int") tensor.values = {static_cast<double>(attribute.i())};
    if (attribute.name() == "value_float") tensor.values = {attribute.f()};
    if (attribute.name() == "value_ints") tensor.values = {attribute.ints().begin(), attribute.ints().end()};
    if (attribute.name() == "value_floats")
      tensor.values = {attribute.floats().begin(), attribute.floats().end()};
    if (attribute.name().ends_with('s')) tensor.shape = {static_cast<int>(tensor.values.size())};
    if (tensor.values.empty()) return Error{"it is a constant of a kind that is not supported"};
    return assembly_.add_constant(node.output(0), Constant(std::move(tensor)));
  }

  Result<std::vector<double>> shape_of_input(const onnx::NodeProto& node) {
    const std::string name = node.input_size() == 1 ? node.input(0) : std::string();
    if (const Constant* constant = assembly_.find_constant(name)) {
      RETURN_IF_ERROR(spend_folding(constant->count()));
      ASSIGN_OR_RETURN(const auto tensor, constant->tensor());
      return std::vector<double>(tensor->shape.begin(), tensor->shape.end());
    }
    const OnnxValue* value = assembly_.find_value(name);
    if (!value) return Error{"it does not read the output of a node before it"};
    if (value->spread) return Error{"it asks for the shape of what an Expand has repeated"};
    std::vector<double> sizes = {batch_ > 0 ? static_cast<double>(batch_)
                                            : std::numeric_limits<double>::quiet_NaN()};
    for (const int size : value->view.sizes()) sizes.push_back(size);
    return sizes;
  }

  Status read_shape(const onnx::NodeProto& node) {
    FoldedTensor shape;
    ASSIGN_OR_RETURN(shape.values, shape_of_input(node));
    Attributes attributes(node);
    const int rank = static_cast<int>(shape.values.size());
    const auto place = [&](int at) { return std::clamp(at < 0 ? at + rank : at, 0, rank); };
    const int begin = place(attributes.integer("start", 0, -8)),
              end = place(attributes.integer("end", rank, -8));
    RETURN_IF_ERROR(attributes.done());
    if (begin < end) {
      shape.values.erase(shape.values.begin() + end, shape.values.end());
      shape.values.erase(shape.values.begin(), shape.values.begin() + begin);
    }
    shape.shape = {static_cast<int>(shape.values.size())};
    shape.type = FoldedTensor::Type::integer;
    return assembly_.add_constant(node.output(0), Constant(std::move(shape)));
  }

  Status add_opaque(const onnx::NodeProto& node, const std::string& reason) {
    const Error unchanged{reason};
    std::vector<NodeId> inputs;
    std::int64_t segments = 0;
    const OnnxValue* read = nullptr;  // the first
    for (const std::string& input : node.input()) {
      const OnnxValue* value = assembly_.find_value(input);
      if (value && !read) read = value;
      if (!value || std::find(inputs.begin(), inputs.end(), value->id) != inputs.end()) continue;
      inputs.push_back(value->id);
      segments += value->segments;
    }
    if (inputs.empty() || inputs.size() > kMaxInputs) return unchanged;
    for (const std::string& output : node.output()) {
      if (output.empty()) continue;
      if (assembly_.find_value(output)) return unchanged;  // it was understood in part
      const auto dims = declared_sizes(output);
      const bool declared = dims.size() == 1 || dims.size() == 3;
      if (!declared && reason != kNoRule && !keeps_shape(node.op_type())) return unchanged;
      const int rank = declared ? static_cast<int>(dims.size()) + 1 : read->rank;
      const Shape shape = !declared   ? read->shape
                          : rank == 2 ? Shape{dims[0], 1, 1}
                                      : Shape{dims[0], dims[1], dims[2]};
      const char* guess =
          declared ? ""
                   : "; the file does not tell the shape of what it makes, which is taken to be its input's";
      RETURN_IF_ERROR(assembly_.spend_segments(segments));
      OnnxValue value = assembly_.made(shape, rank, 1);
      if (!declared) value.view = read->view;
      RETURN_IF_ERROR(assembly_.add_opaque({name_of(node), node.op_type(), reason + guess}, shape, inputs,
                                           value, output));
    }
    return {};
  }

  /// What may be at the bottom of a later node's failure.
  std::string not_understood_before() const {
    if (assembly_.opaque().empty()) return {};
    const NotUnderstood& first = assembly_.opaque().front();
    const std::size_t more = assembly_.opaque().size() - 1;
    return fmt::format("; before it, node '{}' ({}){} not understood either: {}", first.node, first.op,
                       more == 0 ? " was" : fmt::format(" and {} more were", more), first.reason);
  }

  /// The sizes behind the batch that the file declares for a value; none if it does not.
  std::vector<int> declared_sizes(const std::string& name) const {
    const auto found = declared_.find(name);
    if (found == declared_.end()) return {};
    std::vector<int> sizes;
    const auto& dims = found->second->type().tensor_type().shape().dim();
    for (int i = 1; i < dims.size(); ++i) {
      if (dims[i].dim_value() < 1 || dims[i].dim_value() > kMaxSize) return {};
      sizes.push_back(static_cast<int>(dims[i].dim_value()));
    }
    return sizes;
  }

  Result<std::vector<NodeId>> output_nodes() {
    if (graph_.output_size() == 0) return Error{"the network has no output"};
    std::vector<NodeId> outputs;
    for (const onnx::ValueInfoProto& output : graph_.output()) {
      const OnnxValue* value = assembly_.find_value(output.name());
      if (!value) return Error{fmt::format("no node makes the network's output '{}'", output.name())};
      if (rounded_.contains(output.name()))
        return Error{fmt::format("the network's output '{}' has 8 bits; a DequantizeLinear must follow",
                                 output.name())};
      const bool one_number = value->view.sizes().empty() && !value->spread;
      if (one_number)
        left_off_.push_back(fmt::format("what drops the dimension of one value of '{}'", output.name()));
      if (!value->settled() && !one_number) {
        return Error{fmt::format(
            "the network's output '{}' is {}, which is neither a map N x C x H x W nor a vector N x C",
            output.name(), fmt::join(value->view.sizes(), "x"))};
      }
      const bool twice = std::find(outputs.begin(), outputs.end(), value->id) != outputs.end();
      if (twice && !left_off_.empty()) continue;  // what an ArgMax reads may be an output itself
      outputs.push_back(value->id);
    }
    return outputs;
  }

  const onnx::GraphProto& graph_;
  const std::vector<std::string_view>& raw_data_;  // of each initializer
  std::int64_t operator_set_;
  const FromOnnxOptions& options_;
  GraphAssembly assembly_;
  std::int64_t batch_ = 0;   // as an input declares it; 0: open
  std::int64_t folded_ = 0;  // values
  std::unordered_map<std::string, const onnx::ValueInfoProto*> declared_;
  std::unordered_set<std::string> turned_;          // values that are turned to channels first
  std::unordered_set<std::string> read_otherwise_;  // and those that other nodes read
  std::unordered_map<int, NormInParts> norms_;      // by their last nodes
  std::unordered_set<int> inside_norms_;            // their other nodes
  std::vector<std::string> left_off_;
  RoundedValues rounded_;
  int unrounded_ = 0;  // values that are no constants
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

}  // namespace concertina::onnx
