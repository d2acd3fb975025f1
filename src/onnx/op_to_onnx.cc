#include "onnx/op_to_onnx.h"

#include <fmt/format.h>

namespace concertina {
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

void set(onnx::NodeProto& node, const char* name, const std::vector<int>& values) {
  onnx::AttributeProto& added = attribute(node, name, onnx::AttributeProto::INTS);
  for (const int value : values) added.add_ints(value);
}

void set(onnx::NodeProto& node, const Window& w) {
  set(node, "kernel_shape", {w.kernel_h, w.kernel_w});
  set(node, "strides", {w.stride_h, w.stride_w});
  set(node, "pads", {w.pad_top, w.pad_left, w.pad_bottom, w.pad_right});
}

Status write(const op::Input&, onnx::NodeProto&) {
  return {};  // a value without a node
}

Status write(const op::Conv& conv, onnx::NodeProto& node) {
  node.set_op_type("Conv");
  set(node, conv.window);
  set(node, "group", conv.groups);
  return {};
}

Status write(const op::BatchNorm& norm, onnx::NodeProto& node) {
  node.set_op_type("BatchNormalization");
  set(node, "epsilon", norm.epsilon);
  return {};
}

Status write(const op::Relu&, onnx::NodeProto& node) {
  node.set_op_type("Relu");
  return {};
}

Status write(const op::Relu6&, onnx::NodeProto& node) {
  node.set_op_type("Clip");
  return {};
}

Status write(const op::Add&, onnx::NodeProto& node) {
  node.set_op_type("Add");
  return {};
}

Status write(const op::MaxPool& pool, onnx::NodeProto& node) {
  node.set_op_type("MaxPool");
  set(node, pool.window);
  return {};
}

Status write(const op::AveragePool& pool, onnx::NodeProto& node) {
  node.set_op_type("AveragePool");
  set(node, pool.window);
  set(node, "count_include_pad", pool.count_padding ? 1 : 0);
  return {};
}

Status write(const op::GlobalAveragePool&, onnx::NodeProto& node) {
  node.set_op_type("GlobalAveragePool");
  return {};
}

Status write(const op::Flatten&, onnx::NodeProto& node) {
  node.set_op_type("Flatten");
  set(node, "axis", 1);
  return {};
}

Status write(const op::Linear&, onnx::NodeProto& node) {
  node.set_op_type("Gemm");
  set(node, "transB", 1);
  return {};
}

Status write(const op::Concat&, onnx::NodeProto& node) {
  node.set_op_type("Concat");
  set(node, "axis", 1);
  return {};
}

Status write(const op::Softmax&, onnx::NodeProto& node) {
  node.set_op_type("Softmax");
  set(node, "axis", 1);
  return {};
}

Status write(const op::Opaque& opaque, onnx::NodeProto&) {
  return Error{fmt::format("the op {} is known by name only and cannot be written", opaque.type)};
}

}  // namespace

Status write_op(const Op& op, onnx::NodeProto& node) {
  return std::visit([&](const auto& o) { return write(o, node); }, op);
}

std::vector<std::pair<std::string, Array>> constant_inputs(const Op& op) {
  if (!std::holds_alternative<op::Relu6>(op)) return {};
  return {{"min", {.shape = {}, .values = {0}}}, {"max", {.shape = {}, .values = {6}}}};
}

}  // namespace concertina
