#include "testing/onnx_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "onnx/tensor.h"

namespace concertina::testing {
namespace {

std::int64_t count(const OnnxBuilder::Integers& sizes) {
  std::int64_t count = 1;
  for (const std::int64_t size : sizes) count *= size;
  return count;
}

void describe(const std::string& name, const OnnxBuilder::Integers& sizes, onnx::ValueInfoProto& value) {
  value.set_name(name);
  onnx::TypeProto::Tensor& type = *value.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx::TensorProto::FLOAT);
  type.mutable_shape()->add_dim()->set_dim_param("batch");
  for (const std::int64_t size : sizes) type.mutable_shape()->add_dim()->set_dim_value(size);
}

onnx::AttributeProto& attribute(onnx::ModelProto& model, const char* name,
                                onnx::AttributeProto::AttributeType type) {
  auto& nodes = *model.mutable_graph()->mutable_node();
  onnx::AttributeProto& added = *nodes.rbegin()->add_attribute();
  added.set_name(name);
  added.set_type(type);
  return added;
}

}  // namespace

OnnxBuilder::OnnxBuilder(int operator_set) {
  model_.set_ir_version(7);
  model_.set_producer_name("pytorch");
  model_.add_opset_import()->set_version(operator_set);
  model_.mutable_graph()->set_name("main_graph");
}

std::string OnnxBuilder::input(const std::string& name, const Integers& sizes) {
  describe(name, sizes, *model_.mutable_graph()->add_input());
  return name;
}

void OnnxBuilder::output(const std::string& value, const std::string& name, const Integers& sizes) {
  for (onnx::NodeProto& node : *model_.mutable_graph()->mutable_node()) {
    for (std::string& made : *node.mutable_output()) {
      if (made == value) made = name;
    }
    for (std::string& read : *node.mutable_input()) {
      if (read == value) read = name;
    }
  }
  describe(name, sizes, *model_.mutable_graph()->add_output());
}

std::string OnnxBuilder::node(const std::string& type, const std::vector<std::string>& inputs) {
  onnx::NodeProto& node = *model_.mutable_graph()->add_node();
  const std::string name = fresh("/" + type);
  node.set_name(name);
  node.set_op_type(type);
  for (const std::string& input : inputs) node.add_input(input);
  node.add_output(name + "_output_0");
  return node.output(0);
}

OnnxBuilder& OnnxBuilder::with(const char* name, std::int64_t value) {
  attribute(model_, name, onnx::AttributeProto::INT).set_i(value);
  return *this;
}
OnnxBuilder& OnnxBuilder::with(const char* name, const Integers& values) {
  onnx::AttributeProto& added = attribute(model_, name, onnx::AttributeProto::INTS);
  for (const std::int64_t value : values) added.add_ints(value);
  return *this;
}
OnnxBuilder& OnnxBuilder::with(const char* name, float value) {
  attribute(model_, name, onnx::AttributeProto::FLOAT).set_f(value);
  return *this;
}
OnnxBuilder& OnnxBuilder::with(const char* name, const char* value) {
  attribute(model_, name, onnx::AttributeProto::STRING).set_s(value);
  return *this;
}

std::string OnnxBuilder::more_output() {
  onnx::NodeProto& node = *model_.mutable_graph()->mutable_node()->rbegin();
  node.add_output(fmt::format("{}_output_{}", node.name(), node.output_size()));
  return node.output(node.output_size() - 1);
}

std::string OnnxBuilder::random(const Integers& sizes, double fan_in, double least, double most) {
  const CounterRandom random(11, static_cast<std::uint64_t>(count_));
  std::vector<float> values;
  const double scale = std::sqrt(3 / fan_in);
  for (std::int64_t i = 0; i < count(sizes); ++i) {
    values.push_back(
        static_cast<float>(scale * (least + (most - least) * random.uniform(static_cast<std::uint64_t>(i)))));
  }
  return floats(sizes, values);
}

std::string OnnxBuilder::floats(const Integers& sizes, const std::vector<float>& values) {
  const std::string name = fresh("onnx::Array");
  Array array{.shape = {sizes.begin(), sizes.end()}, .values = values};
  onnx::write_tensor(name, array, *model_.mutable_graph()->add_initializer());
  return name;
}

std::string OnnxBuilder::zero_point(onnx::TensorProto::DataType type, int value) {
  onnx::TensorProto& tensor = *model_.mutable_graph()->add_initializer();
  tensor.set_name(fresh("onnx::ZeroPoint"));
  tensor.set_data_type(type);
  tensor.add_int32_data(value);
  return tensor.name();
}

std::string OnnxBuilder::integers(const Integers& values) {
  const std::string name = fresh("onnx::Integers");
  onnx::write_integers(name, values, *model_.mutable_graph()->add_initializer());
  return name;
}

std::string OnnxBuilder::conv(const std::string& x, const Conv& c) {
  const int fan_in = c.in / c.groups * c.kernel * c.kernel;
  std::vector<std::string> inputs = {x, random({c.out, c.in / c.groups, c.kernel, c.kernel}, fan_in)};
  if (c.bias) inputs.push_back(random({c.out}, 10));
  const std::string y = node("Conv", inputs);
  const std::int64_t pad = c.dilation * (c.kernel / 2);
  with("dilations", Integers{c.dilation, c.dilation}).with("group", std::int64_t{c.groups});
  with("kernel_shape", Integers{c.kernel, c.kernel}).with("pads", Integers{pad, pad, pad, pad});
  with("strides", Integers{c.stride, c.stride});
  return y;
}

std::string OnnxBuilder::norm(const std::string& x, int channels) {
  const std::string scale = random({channels}, 3, 0.5, 1.5), shift = random({channels}, 10);
  const std::string mean = random({channels}, 10), variance = random({channels}, 3, 0.5, 1.5);
  const std::string y = node("BatchNormalization", {x, scale, shift, mean, variance});
  with("epsilon", 1e-5F).with("momentum", 0.9F);
  return y;
}

std::string OnnxBuilder::max_pool(const std::string& x, int kernel, int stride, int pad) {
  const std::string y = node("MaxPool", {x});
  with("ceil_mode", std::int64_t{0}).with("kernel_shape", Integers{kernel, kernel});
  with("pads", Integers{pad, pad, pad, pad}).with("strides", Integers{stride, stride});
  return y;
}

std::string OnnxBuilder::linear(const std::string& x, int in, int out) {
  const std::string y = node("Gemm", {x, random({out, in}, in), random({out}, 10)});
  with("alpha", 1.0F).with("beta", 1.0F).with("transB", std::int64_t{1});
  return y;
}

std::string OnnxBuilder::fresh(const std::string& stem) {
  return fmt::format("{}_{}", stem, count_++);
}

std::string OnnxBuilder::layer_norm_in_parts(const std::string& x, const Integers& axes,
                                             const Integers& of_variance) {
  const auto mean = [&](const std::string& y, const Integers& over) {
    const std::string made = node("ReduceMean", {y});
    with("axes", over);
    return made;
  };
  const std::string centred = node("Sub", {x, mean(x, axes)});
  const std::string squares = node("Pow", {centred, floats({}, {2})});
  const std::string variance = mean(squares, of_variance.empty() ? axes : of_variance);
  const std::string deviation = node("Sqrt", {node("Add", {variance, floats({}, {1e-5F})})});
  return node("Div", {centred, deviation});
}

std::string OnnxBuilder::last(const std::string& type) const {
  const auto& nodes = model_.graph().node();
  return std::find_if(nodes.rbegin(), nodes.rend(), [&](const auto& one) { return one.op_type() == type; })
      ->output(0);
}

}  // namespace concertina::testing
