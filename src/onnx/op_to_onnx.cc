#include "onnx/op_to_onnx.h"

#include <fmt/format.h>

#include <algorithm>

#include "onnx/blocks_view.h"

namespace concertina::onnx {
namespace {

onnx::AttributeProto& attribute(onnx::NodeProto& node, const char* name,
                                onnx::AttributeProto::AttributeType type) {
  onnx::AttributeProto& added = *node.add_attribute();
  added.set_name(name);
  added.set_type(type);
  return added;
}

void set(onnx::NodeProto& node, const char* name, int value) {
  attribute(node, name, onnx::AttributeProto::INT).set_i(value);
}

void set(onnx::NodeProto& node, const char* name, float value) {
  attribute(node, name, onnx::AttributeProto::FLOAT).set_f(value);
}

void set(onnx::NodeProto& node, const char* name, const char* value) {
  attribute(node, name, onnx::AttributeProto::STRING).set_s(value);
}

void set(onnx::NodeProto& node, const char* name, const std::vector<int>& values) {
  onnx::AttributeProto& added = attribute(node, name, onnx::AttributeProto::INTS);
  for (const int value : values) added.add_ints(value);
}

void set(onnx::NodeProto& node, const Window& w) {
  set(node, "kernel_shape", {w.kernel_h, w.kernel_w});
  set(node, "strides", {w.stride_h, w.stride_w});
  set(node, "pads", {w.pad_top, w.pad_left, w.pad_bottom, w.pad_right});
}

void set_dilations(onnx::NodeProto& node, const Window& w) {
  if (w.dilation_h != 1 || w.dilation_w != 1) set(node, "dilations", {w.dilation_h, w.dilation_w});
}

void needs(const OpTarget& target, std::int64_t operator_set) {
  target.operator_set = std::max(target.operator_set, operator_set);
}

/// Adds a node of the type that reads all of the target's inputs.
onnx::NodeProto& add(const OpTarget& target, const char* type) {
  onnx::NodeProto& node = *target.graph.add_node();
  node.set_name(target.name);
  node.set_op_type(type);
  for (const std::string& input : target.inputs) node.add_input(input);
  node.add_output(target.name);
  return node;
}

/// An array of the op itself as a further input of the node.
void add_floats(const OpTarget& target, const char* what, Array array, onnx::NodeProto& node) {
  const std::string name = fmt::format("{}.{}", target.name, what);
  node.add_input(name);
  write_tensor(name, array, *target.graph.add_initializer());
}

void add_integers(const OpTarget& target, const char* what, const std::vector<std::int64_t>& values,
                  onnx::NodeProto& node) {
  const std::string name = fmt::format("{}.{}", target.name, what);
  node.add_input(name);
  write_integers(name, values, *target.graph.add_initializer());
}

Status write(const op::Input&, const OpTarget&) {
  return {};  // a value without a node
}

/// In ONNX, padding is what a transposed convolution leaves out of all that its input reaches.
Status write_transposed(const op::Conv& conv, const OpTarget& target) {
  Window window = conv.window;
  window.stride_h = conv.input_dilation_h;
  window.stride_w = conv.input_dilation_w;
  const auto left_out = [](std::int64_t extent, int pad) { return static_cast<int>(extent - 1 - pad); };
  const int after_h = left_out(window.extent_h(), window.pad_bottom);
  const int after_w = left_out(window.extent_w(), window.pad_right);
  window.pad_top = left_out(window.extent_h(), window.pad_top);
  window.pad_left = left_out(window.extent_w(), window.pad_left);
  window.pad_bottom = std::max(after_h, 0);
  window.pad_right = std::max(after_w, 0);
  onnx::NodeProto& node = add(target, "ConvTranspose");
  set(node, window);
  set_dilations(node, window);
  set(node, "output_padding", {std::max(-after_h, 0), std::max(-after_w, 0)});
  set(node, "group", conv.groups);
  return {};
}

Status write(const op::Conv& conv, const OpTarget& target) {
  if (conv.transposed()) return write_transposed(conv, target);
  onnx::NodeProto& node = add(target, "Conv");
  set(node, conv.window);
  set_dilations(node, conv.window);
  set(node, "group", conv.groups);
  return {};
}

Status write(const op::BatchNorm& norm, const OpTarget& target) {
  set(add(target, "BatchNormalization"), "epsilon", norm.epsilon);
  return {};
}

Status write(const op::Activation& activation, const OpTarget& target) {
  onnx::NodeProto& node = add(target, std::string(op::function_name(activation.function)).c_str());
  switch (activation.function) {
    case op::Function::clip:
      add_floats(target, "min", {.shape = {}, .values = {activation.a}}, node);
      add_floats(target, "max", {.shape = {}, .values = {activation.b}}, node);
      break;
    case op::Function::leaky_relu:
      set(node, "alpha", activation.a);
      break;
    case op::Function::hard_sigmoid:
      set(node, "alpha", activation.a);
      set(node, "beta", activation.b);
      break;
    case op::Function::elu:
      set(node, "alpha", activation.a);
      break;
    case op::Function::selu:
      set(node, "alpha", activation.a);
      set(node, "gamma", activation.b);
      break;
    case op::Function::mish:
      needs(target, 18);
      break;
    case op::Function::gelu:
      needs(target, 20);
      break;
    case op::Function::gelu_tanh:
      needs(target, 20);
      set(node, "approximate", "tanh");
      break;
    case op::Function::relu:
    case op::Function::hard_swish:
    case op::Function::sigmoid:
    case op::Function::tanh:
    case op::Function::softplus:
    case op::Function::erf:
    case op::Function::sqrt:
    case op::Function::reciprocal:
      break;
  }
  return {};
}

Status write(const op::PRelu&, const OpTarget& target) {
  add(target, "PRelu");
  return {};
}

Status write(const op::Add&, const OpTarget& target) {
  add(target, "Add");
  return {};
}

Status write(const op::Mul&, const OpTarget& target) {
  add(target, "Mul");
  return {};
}

Status write(const op::Scale&, const OpTarget& target) {
  add(target, "Mul");
  return {};
}

Status write(const op::Shift&, const OpTarget& target) {
  add(target, "Add");
  return {};
}

Status write(const op::MaxPool& pool, const OpTarget& target) {
  onnx::NodeProto& node = add(target, "MaxPool");
  set(node, pool.window);
  set_dilations(node, pool.window);
  return {};
}

Status write(const op::AveragePool& pool, const OpTarget& target) {
  onnx::NodeProto& node = add(target, "AveragePool");
  set(node, pool.window);
  if (pool.window.dilation_h != 1 || pool.window.dilation_w != 1) needs(target, 19);
  set_dilations(node, pool.window);
  set(node, "count_include_pad", pool.count_padding ? 1 : 0);
  return {};
}

Status write(const op::GlobalAveragePool&, const OpTarget& target) {
  add(target, "GlobalAveragePool");
  return {};
}

Status write(const op::Flatten&, const OpTarget& target) {
  set(add(target, "Flatten"), "axis", 1);
  return {};
}

Status write(const op::AsMap&, const OpTarget& target) {
  add_integers(target, "axes", {2, 3}, add(target, "Unsqueeze"));
  return {};
}

Status write(const op::Linear&, const OpTarget& target) {
  set(add(target, "Gemm"), "transB", 1);
  return {};
}

Status write(const op::Concat&, const OpTarget& target) {
  set(add(target, "Concat"), "axis", 1);
  return {};
}

Status write(const op::Slice& slice, const OpTarget& target) {
  onnx::NodeProto& node = add(target, "Slice");
  add_integers(target, "starts", {slice.begin}, node);
  add_integers(target, "ends", {slice.end}, node);
  add_integers(target, "axes", {1}, node);
  return {};
}

Status write(const op::PadChannels& pad, const OpTarget& target) {
  onnx::NodeProto& node = add(target, "Pad");
  add_integers(target, "pads", {0, pad.before, 0, 0, 0, pad.after, 0, 0}, node);
  set(node, "mode", "constant");
  return {};
}

/// Adds a node that reads `input` and makes the value `name`.
onnx::NodeProto& add_after(const OpTarget& target, const char* type, const std::string& input,
                           const std::string& name) {
  onnx::NodeProto& node = *target.graph.add_node();
  node.set_name(name);
  node.set_op_type(type);
  node.add_input(input);
  node.add_output(name);
  return node;
}

/// Renames the last node that was added, and its value.
void rename(onnx::NodeProto& node, const std::string& name) {
  node.set_name(name);
  node.set_output(0, name);
}

/// Reshape, Transpose, Reshape: cuts the map into pieces, and joins them in another order. pieces: 0 is the
/// batch.
void write_reordered(const OpTarget& target, const std::vector<std::int64_t>& pieces,
                     const std::vector<int>& order) {
  const auto& [channels, height, width] = target.output;
  const std::string cut = target.name + ".cut", turned = target.name + ".turned";
  onnx::NodeProto& parts = add(target, "Reshape");
  rename(parts, cut);
  add_integers(target, "cut.shape", pieces, parts);
  set(add_after(target, "Transpose", cut, turned), "perm", order);
  add_integers(target, "shape", {0, channels, height, width},
               add_after(target, "Reshape", turned, target.name));
}

/// Channels as a matrix [groups][channels / groups], transposed.
Status write(const op::ChannelShuffle& shuffle, const OpTarget& target) {
  const auto& [channels, height, width] = target.input;
  write_reordered(target, {0, shuffle.groups, channels / shuffle.groups, height, width}, {0, 2, 1, 3, 4});
  return {};
}

Status write(const op::DepthToSpace& op, const OpTarget& target) {
  onnx::NodeProto& node = add(target, "DepthToSpace");
  set(node, "blocksize", op.block);
  set(node, "mode", op.order == op::Blocks::Order::column_row_depth ? "CRD" : "DCR");
  return {};
}

/// ONNX has one order of channels only.
Status write(const op::SpaceToDepth& op, const OpTarget& target) {
  if (op.order == op::Blocks::Order::depth_column_row) {
    set(add(target, "SpaceToDepth"), "blocksize", op.block);
    return {};
  }
  const auto& [channels, height, width] = target.output;
  std::vector<int> order = {0};
  for (const int piece : order_of_pieces(op)) order.push_back(piece + 1);
  write_reordered(target, {0, target.input.channels, height, op.block, width, op.block}, order);
  return {};
}

/// Layer norm is over the last dimension. Its node has the name, so that it is read as what it was; the value
/// of that name is the one in a map's layout.
Status write_layer_norm(const op::GroupNorm& norm, const OpTarget& target) {
  needs(target, 17);
  const std::string turned = target.name + ".turned", normed = target.name + ".normed";
  OpTarget inner = target;
  if (target.rank == 4) {
    set(add_after(target, "Transpose", target.inputs[0], turned), "perm", {0, 2, 3, 1});
    inner.inputs[0] = turned;
  }
  onnx::NodeProto& layer = add(inner, "LayerNormalization");
  set(layer, "axis", -1);
  set(layer, "epsilon", norm.epsilon);
  if (target.rank == 2) return {};
  layer.set_output(0, normed);
  onnx::NodeProto& back = add_after(target, "Transpose", normed, target.name);
  back.set_name(target.name + ".back");
  set(back, "perm", {0, 3, 1, 2});
  return {};
}

Status write(const op::GroupNorm& norm, const OpTarget& target) {
  if (norm.by_pixel) return write_layer_norm(norm, target);
  if (norm.group == 1) {
    set(add(target, "InstanceNormalization"), "epsilon", norm.epsilon);
    return {};
  }
  needs(target, 21);
  onnx::NodeProto& node = add(target, "GroupNormalization");
  set(node, "num_groups", norm.group == 0 ? 1 : norm.channels / norm.group);
  set(node, "epsilon", norm.epsilon);
  return {};
}

Status write(const op::Pad& pad, const OpTarget& target) {
  onnx::NodeProto& node = add(target, "Pad");
  add_integers(target, "pads", {0, 0, pad.top, pad.left, 0, 0, pad.bottom, pad.right}, node);
  switch (pad.mode) {
    case op::Pad::Mode::constant:
      set(node, "mode", "constant");
      add_floats(target, "value", {.shape = {}, .values = {pad.value}}, node);
      break;
    case op::Pad::Mode::edge:
      set(node, "mode", "edge");
      break;
    case op::Pad::Mode::reflect:
      set(node, "mode", "reflect");
      break;
  }
  return {};
}

const char* name_of(op::Resize::Coordinates coordinates) {
  switch (coordinates) {
    case op::Resize::Coordinates::half_pixel:
      return "half_pixel";
    case op::Resize::Coordinates::pytorch_half_pixel:
      return "pytorch_half_pixel";
    case op::Resize::Coordinates::asymmetric:
      return "asymmetric";
    case op::Resize::Coordinates::align_corners:
      return "align_corners";
  }
  return "";
}

const char* name_of(op::Resize::Rounding rounding) {
  switch (rounding) {
    case op::Resize::Rounding::prefer_floor:
      return "round_prefer_floor";
    case op::Resize::Rounding::prefer_ceil:
      return "round_prefer_ceil";
    case op::Resize::Rounding::floor:
      return "floor";
    case op::Resize::Rounding::ceil:
      return "ceil";
  }
  return "";
}

Status write(const op::Resize& resize, const OpTarget& target) {
  onnx::NodeProto& node = add(target, "Resize");
  node.add_input("");
  add_floats(target, "scales",
             {.shape = {4},
              .values = {1, 1, op::Resize::exact_scale(resize.scale_h, target.input.height, resize.height),
                         op::Resize::exact_scale(resize.scale_w, target.input.width, resize.width)}},
             node);
  set(node, "mode", resize.mode == op::Resize::Mode::nearest ? "nearest" : "linear");
  set(node, "coordinate_transformation_mode", name_of(resize.coordinates));
  if (resize.mode == op::Resize::Mode::nearest) set(node, "nearest_mode", name_of(resize.rounding));
  return {};
}

Status write(const op::ChannelReduce& reduce, const OpTarget& target) {
  using Kind = op::ChannelReduce::Kind;
  needs(target, 18);  // the first in which all three take the axes as an input
  const char* type = reduce.kind == Kind::max   ? "ReduceMax"
                     : reduce.kind == Kind::sum ? "ReduceSum"
                                                : "ReduceMean";
  add_integers(target, "axes", {1}, add(target, type));
  return {};
}

Status write(const op::LocalResponseNorm& norm, const OpTarget& target) {
  onnx::NodeProto& node = add(target, "LRN");
  set(node, "size", norm.size);
  set(node, "alpha", norm.alpha);
  set(node, "beta", norm.beta);
  set(node, "bias", norm.bias);
  return {};
}

Status write(const op::Softmax& softmax, const OpTarget& target) {
  set(add(target, softmax.logarithm ? "LogSoftmax" : "Softmax"), "axis", 1);
  return {};
}

Status write(const op::Opaque& opaque, const OpTarget&) {
  return Error{fmt::format("the op {} is known by name only and cannot be written", opaque.type)};
}

}  // namespace

Status write_op(const Op& op, const OpTarget& target) {
  return std::visit([&](const auto& o) { return write(o, target); }, op);
}

}  // namespace concertina::onnx
