#include "testing/exporter_parts.h"

#include "testing/onnx_builder.h"

namespace concertina::testing {
namespace {

using Integers = OnnxBuilder::Integers;

constexpr int kClasses = 5;

std::string pad(OnnxBuilder& net, const std::string& x, const Integers& last_axis_first, const char* mode) {
  const std::int64_t missing = 8 - static_cast<std::int64_t>(last_axis_first.size());
  const auto whole = [&](const std::string& numbers) {
    const std::string cast = net.node("Cast", {numbers});
    net.with("to", std::int64_t{onnx::TensorProto::INT64});
    return cast;
  };
  const std::string zeros = whole(net.node("ConstantOfShape", {net.integers({missing})}));
  const std::string all = net.node("Concat", {net.integers(last_axis_first), zeros});
  net.with("axis", std::int64_t{0});
  const std::string pairs = net.node("Reshape", {all, net.integers({-1, 2})});
  const std::string turned = net.node("Slice", {pairs, net.integers({-1}), net.integers({-INT64_MAX}),
                                                net.integers({0}), net.integers({-1})});
  const std::string sides = net.node("Transpose", {turned});
  net.with("perm", Integers{1, 0});
  const std::string pads = whole(net.node("Reshape", {sides, net.integers({-1})}));
  const std::string result = net.node("Pad", {x, pads});
  net.with("mode", mode);
  return result;
}

/// Over the listed axes, which stay as ones.
std::string reduced(OnnxBuilder& net, const char* type, const std::string& x, const Integers& axes) {
  const std::string y = net.node(type, {x});
  net.with("axes", axes).with("keepdims", std::int64_t{1});
  return y;
}

}  // namespace

std::string padded() {
  OnnxBuilder net;
  std::string x = pad(net, net.input("image", {3, 11, 12}), {0, 1, 0, 1}, "constant");
  x = net.node("Conv", {x, net.random({9, 3, 3, 3}, 27), net.random({9}, 9)});
  net.with("strides", Integers{2, 2});
  x = net.relu(x);
  x = pad(net, x, {1, 2, 2, 0}, "reflect");
  x = net.relu(net.node("Conv", {x, net.random({7, 9, 3, 3}, 81), net.random({7}, 9)}));
  x = net.max_pool(pad(net, x, {2, 1}, "edge"), 3, 2, 0);
  net.output(net.linear(net.pooled(net.conv_norm_relu(x, {.in = 7, .out = 8})), 8, kClasses), "logits",
             {kClasses});
  return net.finish();
}

std::string computed_weights() {
  OnnxBuilder net(11);
  const std::string image = net.input("image", {3, 10, 10});
  const std::string direction = net.random({9, 3, 3, 3}, 4);
  const std::string unit = net.node("Div", {direction, reduced(net, "ReduceL2", direction, {1, 2, 3})});
  const std::string length = net.random({9, 1, 1, 1}, 3, 0.5, 1.5);
  std::string x = net.relu(net.node("Conv", {image, net.node("Mul", {unit, length})}));
  const std::string raw = net.random({7, 9, 3, 3}, 9);
  const std::string centred = net.node("Sub", {raw, reduced(net, "ReduceMean", raw, {1, 2, 3})});
  const std::string flat = net.node("Flatten", {centred});
  const std::string squares = reduced(net, "ReduceMean", net.node("Mul", {flat, flat}), {1});
  const std::string deviation = net.node("Add", {net.node("Sqrt", {squares}), net.floats({}, {1e-5F})});
  const std::string divisor = net.node("Reshape", {deviation, net.integers({-1, 1, 1, 1})});
  x = net.relu(net.node("Conv", {x, net.node("Div", {centred, divisor}), net.random({7}, 9)}));
  const std::string shares = net.relu(net.floats({2}, {1.5F, 0.7F}));
  const std::string sum = net.node("Add", {net.node("ReduceSum", {shares}), net.floats({}, {1e-4F})});
  const std::string weights = net.node("Div", {shares, sum});
  const auto weighted = [&](const std::string& y, std::int64_t i) {
    return net.node("Mul", {net.node("Gather", {weights, net.integers({i})}), y});
  };
  const std::string other = net.conv_norm_relu(x, {.in = 7, .out = 7, .kernel = 3});
  x = net.node("Add", {weighted(x, 0), weighted(other, 1)});
  net.output(net.linear(net.pooled(net.conv_norm_relu(x, {.in = 7, .out = 8})), 8, kClasses), "logits",
             {kClasses});
  return net.finish();
}

}  // namespace concertina::testing
