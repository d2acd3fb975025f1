#include "onnx/qdq.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/try.h"
#include "onnx/graph_to_onnx.h"
#include "onnx/tensor.h"

namespace concertina::onnx {
namespace {

/// Whether every value that it makes is one that it reads.
bool keeps_values(const Op& op) {
  return std::visit(
      Overloaded{
          []<OneOf<op::MaxPool, op::Flatten, op::AsMap, op::Slice, op::ChannelShuffle, op::DepthToSpace,
                   op::SpaceToDepth>
                 Mover>(const Mover&) { return true; },
          [](const op::Resize& resize) { return resize.mode == op::Resize::Mode::nearest; },
          [](const op::Pad& pad) { return pad.mode != op::Pad::Mode::constant; },
          []<OneOf<op::Input, op::Conv, op::Linear, op::BatchNorm, op::GroupNorm, op::Activation, op::PRelu,
                   op::Add, op::Mul, op::Scale, op::Shift, op::AveragePool, op::GlobalAveragePool, op::Concat,
                   op::PadChannels, op::ChannelReduce, op::LocalResponseNorm, op::Softmax, op::Opaque>
                 Other>(const Other&) { return false; }},
      op);
}

/// What a Relu or Clip lets through.
struct Limits {
  float low, high;
};
std::optional<Limits> limits_of(const Op& op) {
  const auto* activation = std::get_if<op::Activation>(&op);
  if (activation == nullptr) return {};
  if (activation->is_relu()) return Limits{0, std::numeric_limits<float>::max()};
  if (activation->function != op::Function::clip) return {};
  return Limits{activation->a, activation->b};
}

/// Whether rounding to the scale limits values as much. Then a runtime may leave out the limits.
bool within(const Quantization& pair, const Limits& limits) {
  const auto value = [&](int step) { return pair.scale * static_cast<float>(step - pair.zero_point); };
  return value(0) >= limits.low && value(255) <= limits.high;
}

/// A scale of values up to the upper limit may exceed it by the rounding of a float.
Quantization nudged(Quantization pair, const Limits& limits) {
  Quantization smaller = pair;
  smaller.scale = std::nextafter(pair.scale, 0.0F);
  return !within(pair, limits) && within(smaller, limits) ? smaller : pair;
}

void write_bytes(const std::string& name, onnx::TensorProto::DataType type, const std::vector<int>& shape,
                 std::string bytes, onnx::TensorProto& tensor) {
  tensor.set_name(name);
  tensor.set_data_type(type);
  for (const int size : shape) tensor.add_dims(size);
  tensor.set_raw_data(std::move(bytes));
}

/// The nearest step of the scale, ties to even, limited to -most .. most.
std::int32_t step(float value, float scale, std::int32_t most) {
  const double steps = std::nearbyint(double{value} / scale);
  return static_cast<std::int32_t>(std::clamp<double>(steps, -most, most));
}

/// Of a weight's rows: each has magnitudes of 127 steps at most, and a bias that the steps of the product
/// with the input's scale can count.
std::vector<float> row_scales(const Array& peaks, const Array* bias, float input_scale) {
  const auto rows = static_cast<std::size_t>(peaks.shape[0]);
  const std::size_t row = peaks.values.size() / rows;
  std::vector<float> scales;
  for (std::size_t k = 0; k < rows; ++k) {
    constexpr double kMostBias = 1 << 30;  // steps, of 2^31
    const double least = bias == nullptr ? 0 : std::abs(bias->values[k]) / (kMostBias * input_scale);
    const double scale = std::max(double{std::abs(peaks.values[k * row])} / 127, least);
    // Below, all is as good as 0; above, it is no float.
    const bool counts = scale * input_scale >= std::numeric_limits<float>::min() &&
                        scale * std::max(input_scale, 1.0F) <= std::numeric_limits<float>::max();
    scales.push_back(counts ? static_cast<float>(scale) : 1.0F);
  }
  return scales;
}

/// ONNX Runtime 1.30 makes of it a mean in 8 bits that it then refuses.
bool is_dilated_mean(const Op& op) {
  const auto* pool = std::get_if<op::AveragePool>(&op);
  return pool != nullptr && (pool->window.dilation_h > 1 || pool->window.dilation_w > 1);
}

class QdqWriter {
 public:
  QdqWriter(const Network& network, const Quantizations& scales, const Weights& peaks,
            onnx::GraphProto& graph)
      : network_(network),
        scales_(scales),
        peaks_(peaks),
        graph_(graph),
        readers_(readers_by_node(network.graph)) {
    for (NodeId id = 0; id < network.graph.size(); ++id) {
      const auto pair = pair_of(id);
      if (pair) pairs_.emplace(network.graph.node(id).name, *pair);
    }
  }

  void run() {
    google::protobuf::RepeatedPtrField<onnx::NodeProto> nodes;
    nodes.Swap(graph_.mutable_node());
    for (const onnx::ValueInfoProto& input : graph_.input()) add_pair(input.name());
    for (onnx::NodeProto& node : nodes) {
      if (node.op_type() == "Conv" || node.op_type() == "Gemm") quantize_arrays(node);
      for (std::string& input : *node.mutable_input()) {
        if (pairs_.contains(input)) input += ".dequantized";
      }
      const std::string made = node.output(0);
      *graph_.add_node() = std::move(node);
      add_pair(made);
    }
    drop_unread_arrays();
  }

 private:
  std::optional<Quantization> pair_of(NodeId id) const {
    const Node& node = network_.graph.node(id);
    if (readers_[id].empty() || fuses(id) || is_dilated_mean(node.op)) return {};
    if (keeps_values(node.op)) {
      const auto input = pairs_.find(network_.graph.node(node.inputs[0]).name);
      if (input != pairs_.end()) return input->second;
    }
    return own_scale(id);
  }

  std::optional<Quantization> own_scale(NodeId id) const {
    const Node& node = network_.graph.node(id);
    const auto own = scales_.find(node.name);
    if (own == scales_.end()) return {};
    const std::optional<Limits> limits = limits_of(node.op);
    return limits ? nudged(own->second, *limits) : own->second;
  }

  /// Whether the value's only reader is a Relu or Clip whose pair does its work. Of others ONNX Runtime 1.30
  /// fuses wrongly what has no pair before them.
  bool fuses(NodeId id) const {
    if (readers_[id].size() != 1) return false;
    const NodeId reader = readers_[id][0];
    const std::optional<Limits> limits = limits_of(network_.graph.node(reader).op);
    const std::optional<Quantization> pair = own_scale(reader);
    return limits && pair && !readers_[reader].empty() && within(*pair, *limits);
  }

  onnx::NodeProto& add_node(const char* type, const std::vector<std::string>& inputs,
                            const std::string& output) {
    onnx::NodeProto& node = *graph_.add_node();
    node.set_name(output);
    node.set_op_type(type);
    for (const std::string& input : inputs) node.add_input(input);
    node.add_output(output);
    return node;
  }

  void add_pair(const std::string& value) {
    const auto pair = pairs_.find(value);
    if (pair == pairs_.end()) return;
    const std::string quantized = value + ".quantized";
    const std::string scale = quantized + ".scale", zero_point = quantized + ".zero_point";
    write_tensor(scale, {.shape = {}, .values = {pair->second.scale}}, *graph_.add_initializer());
    write_bytes(zero_point, onnx::TensorProto::UINT8, {},
                std::string(1, static_cast<char>(pair->second.zero_point)), *graph_.add_initializer());
    add_node("QuantizeLinear", {value, scale, zero_point}, quantized);
    add_node("DequantizeLinear", {quantized, scale, zero_point}, value + ".dequantized");
  }

  /// Of a layer whose input is in 8 bits. Layers that share an array get one each: their scales may differ.
  void quantize_arrays(onnx::NodeProto& layer) {
    const auto input = pairs_.find(layer.input(0));
    if (input == pairs_.end()) return;
    const float input_scale = input->second.scale;
    const Array* bias = layer.input_size() > 2 ? &network_.weights.at(layer.input(2)) : nullptr;
    std::vector<float> scales = row_scales(peaks_.at(layer.input(1)), bias, input_scale);
    layer.set_input(1, add_weight(layer.name() + ".weight", network_.weights.at(layer.input(1)), scales));
    if (bias == nullptr) return;
    for (float& scale : scales) scale *= input_scale;
    layer.set_input(2, add_bias(layer.name() + ".bias", *bias, scales));
  }

  /// Return the names of the values in floats.
  std::string add_weight(const std::string& name, const Array& weight, const std::vector<float>& scales) {
    const std::size_t row = weight.values.size() / scales.size();
    std::string bytes;
    for (std::size_t i = 0; i < weight.values.size(); ++i)
      bytes.push_back(static_cast<char>(step(weight.values[i], scales[i / row], 127)));
    const std::string zero_point = name + ".quantized.zero_point";
    write_bytes(name + ".quantized", onnx::TensorProto::INT8, weight.shape, std::move(bytes),
                *graph_.add_initializer());
    write_bytes(zero_point, onnx::TensorProto::INT8, {weight.shape[0]}, std::string(scales.size(), '\0'),
                *graph_.add_initializer());
    return add_dequantized(name, scales, {zero_point});
  }
  std::string add_bias(const std::string& name, const Array& bias, const std::vector<float>& scales) {
    onnx::TensorProto& tensor = *graph_.add_initializer();
    tensor.set_name(name + ".quantized");
    tensor.set_data_type(onnx::TensorProto::INT32);
    tensor.add_dims(bias.shape[0]);
    for (std::size_t k = 0; k < scales.size(); ++k)
      tensor.add_int32_data(step(bias.values[k], scales[k], std::numeric_limits<std::int32_t>::max()));
    return add_dequantized(name, scales, {});  // ONNX has no zero point for 32 bits
  }

  std::string add_dequantized(const std::string& name, const std::vector<float>& scales,
                              const std::vector<std::string>& zero_point) {
    const std::string quantized = name + ".quantized", scale = quantized + ".scale";
    write_tensor(scale, {.shape = {static_cast<int>(scales.size())}, .values = scales},
                 *graph_.add_initializer());
    std::vector<std::string> inputs = {quantized, scale};
    inputs.insert(inputs.end(), zero_point.begin(), zero_point.end());
    onnx::NodeProto& node = add_node("DequantizeLinear", inputs, name + ".dequantized");
    onnx::AttributeProto& axis = *node.add_attribute();
    axis.set_name("axis");
    axis.set_type(onnx::AttributeProto::INT);
    axis.set_i(0);
    return node.output(0);
  }

  void drop_unread_arrays() {
    std::unordered_set<std::string_view> read;
    for (const onnx::NodeProto& node : graph_.node()) read.insert(node.input().begin(), node.input().end());
    auto& arrays = *graph_.mutable_initializer();
    const auto unread = [&](const onnx::TensorProto& array) { return !read.contains(array.name()); };
    arrays.erase(std::remove_if(arrays.begin(), arrays.end(), unread), arrays.end());
  }

  const Network& network_;
  const Quantizations& scales_;
  const Weights& peaks_;
  onnx::GraphProto& graph_;
  const std::vector<std::vector<NodeId>> readers_;
  Quantizations pairs_;  ///< of the values that have a pair
};

}  // namespace

Result<onnx::ModelProto> to_qdq_onnx(const Network& network, const Quantizations& scales,
                                     const Weights& peaks) {
  ASSIGN_OR_RETURN(onnx::ModelProto model, to_onnx(network));
  QdqWriter(network, scales, peaks, *model.mutable_graph()).run();
  RETURN_IF_ERROR(check_names(model.graph()));
  return model;
}

}  // namespace concertina::onnx
