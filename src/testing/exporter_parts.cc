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

std::string turned(OnnxBuilder& net, const std::string& x, const Integers& order) {
  const std::string y = net.node("Transpose", {x});
  net.with("perm", order);
  return y;
}

std::string pixels_first(OnnxBuilder& net, const std::string& x) {
  return turned(net, x, {0, 2, 3, 1});
}

std::string channels_first(OnnxBuilder& net, const std::string& x) {
  return turned(net, x, {0, 3, 1, 2});
}

/// (x - mean) * (1 / sqrt(variance + epsilon)), with two nodes for the mean.
std::string norm_by_reciprocal(OnnxBuilder& net, const std::string& x, bool as_quotient) {
  const std::string centred = net.node("Sub", {x, reduced(net, "ReduceMean", x, {1})});
  const std::string again = net.node("Sub", {x, reduced(net, "ReduceMean", x, {1})});
  const std::string variance = reduced(net, "ReduceMean", net.node("Mul", {again, again}), {1});
  const std::string root = net.node("Sqrt", {net.node("Add", {net.floats({}, {1e-3F}), variance})});
  const std::string inverse =
      as_quotient ? net.node("Div", {net.floats({}, {1}), root}) : net.node("Reciprocal", {root});
  return net.node("Mul", {inverse, centred});
}

/// x * factor + (shift - mean * factor), the factor being scale / sqrt(variance + epsilon).
std::string keras_norm(OnnxBuilder& net, const std::string& x, std::int64_t channels) {
  const std::string mean = reduced(net, "ReduceMean", x, {3});
  const std::string centred = net.node("Sub", {x, mean});
  const std::string variance = reduced(net, "ReduceMean", net.node("Mul", {centred, centred}), {3});
  const std::string root = net.node("Sqrt", {net.node("Add", {variance, net.floats({}, {1e-6F})})});
  const std::string factor =
      net.node("Mul", {net.node("Reciprocal", {root}), net.random({channels}, 3, 0.5, 1.5)});
  const std::string shift =
      net.node("Sub", {net.random({1, 1, 1, channels}, 3), net.node("Mul", {mean, factor})});
  return net.node("Add", {net.node("Mul", {x, factor}), shift});
}

std::string scaled(OnnxBuilder& net, const std::string& x, const Integers& shape) {
  const std::string product = net.node("Mul", {net.random(shape, 3, 0.5, 1.5), x});
  return net.node("Add", {product, net.random(shape, 3)});
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

std::string norms_in_parts() {
  OnnxBuilder net;
  const auto conv = [&](const std::string& y, int in, int out) {
    return net.conv(y, {.in = in, .out = out, .kernel = 3, .bias = true});
  };
  std::string x = conv(net.input("image", {3, 8, 9}), 3, 9);
  x = channels_first(net, scaled(net, net.layer_norm_in_parts(pixels_first(net, x), {-1}), {9}));
  x = conv(net.relu(x), 9, 7);
  x = conv(scaled(net, norm_by_reciprocal(net, x, true), {1, 7, 1, 1}), 7, 6);
  x = conv(norm_by_reciprocal(net, x, false), 6, 8);
  x = conv(channels_first(net, keras_norm(net, pixels_first(net, x), 8)), 8, 8);
  const std::string tokens = turned(net, net.node("Reshape", {x, net.integers({0, 8, -1})}), {0, 2, 1});
  const std::string normed = turned(net, net.layer_norm_in_parts(tokens, {2}), {0, 2, 1});
  x = conv(net.node("Reshape", {normed, net.integers({0, 8, 8, 9})}), 8, 7);
  x = conv(net.relu(scaled(net, net.layer_norm_in_parts(x, {2, 3}), {7, 1, 1})), 7, 9);
  x = conv(net.relu(net.layer_norm_in_parts(x, {1, 2, 3})), 9, 8);
  const std::string groups = net.node("Reshape", {x, net.integers({0, 4, -1})});
  x = net.node("Reshape", {net.layer_norm_in_parts(groups, {2}), net.integers({0, 8, 8, 9})});
  const std::string features = net.pooled(conv(net.relu(x), 8, 6));
  net.output(net.linear(scaled(net, net.layer_norm_in_parts(features, {-1}), {6}), 6, kClasses), "logits",
             {kClasses});
  return net.finish();
}

std::string reductions() {
  OnnxBuilder net(11);
  const auto left_out = [&](const char* type, const std::string& x, const Integers& axes) {
    const std::string y = net.node(type, {x});
    net.with("axes", axes).with("keepdims", std::int64_t{0});
    return y;
  };
  const auto conv = [&](const std::string& y, int in, int out) {
    return net.conv_norm_relu(y, {.in = in, .out = out, .kernel = 3});
  };
  std::string x = conv(net.input("image", {3, 9, 8}), 3, 9);
  x = net.node("Mul", {x, net.node("Sigmoid", {reduced(net, "ReduceMean", x, {3})})});
  const std::string largest = reduced(net, "ReduceMax", x, {2});
  x = net.node("Sub", {x, net.node("Expand", {largest, net.node("Shape", {x})})});
  x = conv(x, 9, 8);
  const std::string last = pixels_first(net, x);
  const std::string means = left_out("ReduceMean", last, {1, 2});
  const std::string gates = net.node("Reshape", {net.node("Sigmoid", {means}), net.integers({-1, 1, 1, 8})});
  const std::string mask = net.node("Sigmoid", {left_out("ReduceMax", last, {3})});
  x = net.node("Neg", {net.node("Sub", {net.node("Mul", {last, gates}), last})});
  x = net.node("Mul", {channels_first(net, x), net.node("Reshape", {mask, net.integers({-1, 1, 9, 8})})});
  const std::string classes = turned(net, conv(x, 8, 6), {0, 3, 2, 1});
  const std::string shares = net.node("Softmax", {classes});
  net.with("axis", std::int64_t{3});
  x = conv(turned(net, shares, {0, 3, 2, 1}), 6, 7);
  const std::string sums = net.node("Mul", {left_out("ReduceSum", x, {2, 3}), net.floats({}, {0.02F})});
  const std::string halves = left_out("ReduceMean", left_out("ReduceMean", x, {3}), {2});
  net.output(net.linear(net.node("Add", {sums, halves}), 7, kClasses), "logits", {kClasses});
  return net.finish();
}

std::string cut_maps() {
  OnnxBuilder net;
  const auto cut = [&](const std::string& x, std::int64_t axis, std::int64_t begin, std::int64_t end,
                       std::int64_t step = 1) {
    return net.node(
        "Slice", {x, net.integers({begin}), net.integers({end}), net.integers({axis}), net.integers({step})});
  };
  const auto joined = [&](const std::vector<std::string>& parts, std::int64_t axis) {
    const std::string y = net.node("Concat", parts);
    net.with("axis", axis);
    return y;
  };
  const auto conv = [&](const std::string& y, int in, int out) {
    return net.conv_norm(y, {.in = in, .out = out, .kernel = 3});
  };
  const std::string image = net.input("image", {3, 14, 16});
  std::vector<std::string> parts;
  for (const std::int64_t column : {0, 1}) {
    for (const std::int64_t row : {0, 1})
      parts.push_back(cut(cut(image, 2, row, INT64_MAX, 2), 3, column, INT64_MAX, 2));
  }
  std::string x = net.node("Abs", {conv(joined(parts, 1), 12, 9)});
  x = joined({cut(x, -1, -1, INT64_MAX), x, cut(x, -1, 0, 1)}, 3);
  x = net.node("Max", {conv(joined({cut(x, 2, 4, 7), cut(x, 2, 0, 4)}, 2), 9, 8), net.floats({}, {-0.2F})});
  const std::string above = net.node("Split", {x, net.integers({3, 4})});
  net.with("axis", std::int64_t{2});
  const std::string below = net.more_output();
  x = net.node("Slice", {net.node("Add", {above, cut(below, 2, 1, 4)}), net.integers({1, 1}),
                         net.integers({3, -1}), net.integers({2, 3})});
  x = net.node("Min", {net.floats({1}, {0.7F}), conv(x, 8, 7)});
  net.output(net.linear(net.pooled(x), 7, kClasses), "logits", {kClasses});
  return net.finish();
}

std::string channel_attention() {
  OnnxBuilder net;
  const auto along = [&](const std::string& x, const std::vector<std::string>& arrays, std::int64_t pad,
                         std::int64_t dilation) {
    std::vector<std::string> read = {x};
    read.insert(read.end(), arrays.begin(), arrays.end());
    const std::string y = net.node("Conv", read);
    net.with("kernel_shape", Integers{3}).with("pads", Integers{pad, 2 * dilation - pad});
    net.with("dilations", Integers{dilation});
    return y;
  };
  std::string x = net.conv_norm_relu(net.input("image", {3, 9, 9}), {.in = 3, .out = 10, .kernel = 3});
  const std::string mean = net.node("Squeeze", {net.node("GlobalAveragePool", {x}), net.integers({-1})});
  const std::string filtered =
      turned(net, along(turned(net, mean, {0, 2, 1}), {net.random({1, 1, 3}, 1)}, 1, 1), {0, 2, 1});
  const std::string gates = net.node("Sigmoid", {net.node("Unsqueeze", {filtered, net.integers({-1})})});
  x = net.node("Mul", {x, net.node("Expand", {gates, net.node("Shape", {x})})});
  x = net.conv_norm_relu(x, {.in = 10, .out = 8, .kernel = 3});
  const std::string line = net.node("Reshape", {net.pooled(x), net.integers({-1, 1, 8})});
  const std::string far = along(line, {net.random({1, 1, 3}, 1), net.random({1}, 1)}, 1, 2);
  x = net.node("Mul", {x, net.node("Reshape", {net.node("Tanh", {far}), net.integers({-1, 8, 1, 1})})});
  net.output(net.linear(net.pooled(net.conv_norm_relu(x, {.in = 8, .out = 7})), 7, kClasses), "logits",
             {kClasses});
  return net.finish();
}

std::string lengths() {
  OnnxBuilder net;
  std::string x = net.conv_norm_relu(net.input("image", {3, 7, 6}), {.in = 3, .out = 12, .kernel = 3});
  // Global response normalisation, as ConvNeXt V2 has it.
  x = pixels_first(net, x);
  const std::string length = reduced(net, "ReduceL2", x, {1, 2});
  const std::string mean =
      net.node("Add", {reduced(net, "ReduceMean", length, {-1}), net.floats({}, {1e-6F})});
  const std::string share = net.node("Mul", {x, net.node("Div", {length, mean})});
  const std::string scaled = net.node("Mul", {net.random({1, 1, 1, 12}, 1), share});
  x = net.node("Add", {net.node("Add", {scaled, net.random({1, 1, 1, 12}, 2)}), x});
  x = net.conv_norm_relu(channels_first(net, x), {.in = 12, .out = 9});
  // RMS norm, over the channels of each pixel.
  const std::string square = reduced(net, "ReduceMean", net.node("Pow", {x, net.floats({}, {2})}), {1});
  const std::string above_0 = net.node("Add", {square, net.floats({}, {1e-5F})});
  x = net.node("Mul", {x, net.node("Pow", {above_0, net.floats({}, {-0.5F})})});
  const std::string other = net.node("Pow", {above_0, net.floats({}, {0.5F})});
  x = net.node("Add", {x, net.node("Div", {net.floats({}, {0.3F}), other})});
  x = net.node("Mul", {x, net.random({9, 1, 1}, 3)});
  x = net.conv_norm_relu(x, {.in = 9, .out = 8});
  const std::string sum = net.node("ReduceSum", {net.node("Abs", {x}), net.integers({1})});
  const std::string shift = net.node("Add", {sum, net.floats({}, {0.5F})});
  x = net.node("Mul", {net.node("Div", {x, shift}), net.node("Pow", {shift, net.floats({}, {-1})})});
  // An embedding of length 1.
  std::string vector = net.linear(net.pooled(x), 8, kClasses);
  vector = net.node("Sub", {vector, reduced(net, "ReduceMean", vector, {1})});
  vector = net.node("Add", {vector, reduced(net, "ReduceSumSquare", vector, {-1})});
  const std::string limited =
      net.node("Clip", {reduced(net, "ReduceL2", vector, {1}), net.floats({}, {1e-12F})});
  const std::string all = net.node("Expand", {limited, net.node("Shape", {vector})});
  net.output(net.node("Div", {vector, all}), "embedding", {kClasses});
  return net.finish();
}

std::string reordered() {
  OnnxBuilder net;
  const std::string turned_colours =
      net.node("Gather", {net.input("image", {3, 9, 9}), net.integers({2, 1, 0})});
  net.with("axis", std::int64_t{1});
  std::string x = net.conv_norm_relu(turned_colours, {.in = 3, .out = 9, .kernel = 3});
  x = net.node("Tile", {x, net.integers({1, 2, 1, 1})});
  x = net.conv_norm_relu(x, {.in = 18, .out = 8, .kernel = 3});
  net.output(net.linear(net.pooled(x), 8, kClasses), "logits", {kClasses});
  return net.finish();
}

}  // namespace concertina::testing
