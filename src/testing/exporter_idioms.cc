#include "testing/exporter_idioms.h"

#include "testing/onnx_builder.h"

namespace concertina::testing {
namespace {

using Integers = OnnxBuilder::Integers;

constexpr int kClasses = 5;

std::string gelu_in_parts(OnnxBuilder& net, const std::string& x) {
  const std::string erf = net.node("Erf", {net.node("Div", {x, net.floats({}, {1.41421354F})})});
  const std::string more = net.node("Add", {erf, net.floats({}, {1})});
  return net.node("Mul", {net.node("Mul", {x, more}), net.floats({}, {0.5F})});
}

}  // namespace

std::string functions() {
  OnnxBuilder net(20);
  std::string x = net.conv_norm(net.input("image", {3, 10, 10}), {.in = 3, .out = 9, .kernel = 3});
  const auto then = [&](const std::string& y, int in, int out) {
    x = net.conv_norm(y, {.in = in, .out = out, .kernel = 3});
  };
  then(net.node("PRelu", {x, net.random({9, 1, 1}, 9)}), 9, 6);
  then(net.node("PRelu", {x, net.floats({1}, {0.3F})}), 6, 7);
  then(net.node("Tanh", {x}), 7, 8);
  const std::string elu = net.node("Elu", {x});
  net.with("alpha", 0.7F);
  then(elu, 8, 9);
  then(net.node("Selu", {x}), 9, 6);
  then(net.node("Softplus", {x}), 6, 8);
  then(net.node("Mish", {x}), 8, 7);
  then(net.node("Gelu", {x}), 7, 9);
  const std::string approximate = net.node("Gelu", {x});
  net.with("approximate", "tanh");
  then(approximate, 9, 5);
  then(net.node("Erf", {x}), 5, 8);
  net.output(net.linear(net.pooled(x), 8, kClasses), "logits", {kClasses});
  return net.finish();
}

std::string functions_in_parts() {
  OnnxBuilder net;
  std::string x = net.conv_norm(net.input("image", {3, 10, 10}), {.in = 3, .out = 9, .kernel = 3});
  const auto number = [&](float value) { return net.floats({}, {value}); };
  const auto one_more = [&](const std::string& y) { return net.node("Add", {y, number(1)}); };
  x = gelu_in_parts(net, x);
  x = net.conv_norm(x, {.in = 9, .out = 7, .kernel = 3});
  const std::string cube = net.node("Mul", {net.node("Pow", {x, number(3)}), number(0.044715F)});
  const std::string scaled = net.node("Mul", {net.node("Add", {x, cube}), number(0.797884583F)});
  x = net.node("Mul", {net.node("Mul", {x, number(0.5F)}), one_more(net.node("Tanh", {scaled}))});
  x = net.conv_norm(x, {.in = 7, .out = 8, .kernel = 3});
  x = net.node("Mul", {x, net.node("Tanh", {net.node("Softplus", {x})})});
  net.output(net.linear(net.pooled(net.conv_norm(x, {.in = 8, .out = 6})), 6, kClasses), "logits",
             {kClasses});
  return net.finish();
}

std::string expanded_gates() {
  OnnxBuilder net;
  std::string x = net.conv_norm_relu(net.input("image", {3, 12, 12}), {.in = 3, .out = 9, .kernel = 3});
  const std::string squeezed =
      net.relu(net.conv(net.node("GlobalAveragePool", {x}), {.in = 9, .out = 4, .bias = true}));
  const std::string factors = net.node("Sigmoid", {net.conv(squeezed, {.in = 4, .out = 9, .bias = true})});
  x = net.node("Mul", {x, net.node("Expand", {factors, net.node("Shape", {x})})});
  x = net.conv_norm_relu(x, {.in = 9, .out = 7, .kernel = 3, .stride = 2});
  const std::string mask = net.node("Sigmoid", {net.conv(x, {.in = 7, .out = 1, .kernel = 3, .bias = true})});
  x = net.node("Mul", {net.node("Expand", {mask, net.integers({1, 7, 1, 1})}), x});
  net.output(net.linear(net.pooled(net.conv_norm_relu(x, {.in = 7, .out = 8})), 8, kClasses), "logits",
             {kClasses});
  return net.finish();
}

std::string option_a() {
  OnnxBuilder net;
  std::string x = net.conv_norm_relu(net.input("image", {3, 12, 12}), {.in = 3, .out = 8, .kernel = 3});
  const auto block = [&](int in, int out) {
    const std::string a = net.conv_norm_relu(x, {.in = in, .out = out, .kernel = 3, .stride = 2});
    const std::string b = net.conv_norm(a, {.in = out, .out = out, .kernel = 3});
    const auto every_other = [&](const std::string& y, std::int64_t axis) {
      return net.node("Slice", {y, net.integers({0}), net.integers({1LL << 40}), net.integers({axis}),
                                net.integers({2})});
    };
    const std::int64_t more = (out - in) / 2;
    const std::string pixels = every_other(every_other(x, 2), 3);
    const std::string shortcut = net.node("Pad", {pixels, net.integers({0, more, 0, 0, 0, more, 0, 0})});
    x = net.relu(net.node("Add", {b, shortcut}));
  };
  block(8, 14);
  block(14, 20);
  net.output(net.linear(net.pooled(x), 20, kClasses), "logits", {kClasses});
  return net.finish();
}

std::string convnext() {
  OnnxBuilder net(20);
  const auto turned = [&](const std::string& x, const Integers& order) {
    const std::string y = net.node("Transpose", {x});
    net.with("perm", order);
    return y;
  };
  const auto pixels_first = [&](const std::string& x) { return turned(x, {0, 2, 3, 1}); };
  const auto channels_first = [&](const std::string& x) { return turned(x, {0, 3, 1, 2}); };
  const auto layer_norm = [&](const std::string& x, int channels) {
    const std::string y =
        net.node("LayerNormalization", {x, net.random({channels}, 3, 0.5, 1.5), net.random({channels}, 3)});
    net.with("axis", std::int64_t{-1}).with("epsilon", 1e-6F);
    return y;
  };
  const auto linear = [&](const std::string& x, int in, int out) {
    return net.node("Add", {net.node("MatMul", {x, net.random({in, out}, in)}), net.random({out}, out)});
  };
  const auto block = [&](const std::string& x, int channels) {
    const std::string deep =
        net.conv(x, {.in = channels, .out = channels, .kernel = 7, .groups = channels, .bias = true});
    const std::string hidden = linear(layer_norm(pixels_first(deep), channels), channels, 12);
    const std::string wide = channels == 6 ? net.node("Gelu", {hidden}) : gelu_in_parts(net, hidden);
    const std::string back = channels_first(linear(wide, 12, channels));
    return net.node("Add", {net.node("Mul", {back, net.random({channels, 1, 1}, 3)}), x});
  };
  const auto norm_of_map = [&](const std::string& x, int channels) {
    return channels_first(layer_norm(pixels_first(x), channels));
  };
  const std::string image = net.input("image", {3, 12, 12});
  std::string x =
      norm_of_map(net.conv(image, {.in = 3, .out = 6, .kernel = 2, .stride = 2, .bias = true}), 6);
  x = net.conv(norm_of_map(block(x, 6), 6), {.in = 6, .out = 9, .kernel = 2, .stride = 2, .bias = true});
  x = norm_of_map(net.node("GlobalAveragePool", {block(x, 9)}), 9);
  net.output(net.linear(net.node("Flatten", {x}), 9, kClasses), "logits", {kClasses});
  return net.finish();
}

std::string transposed() {
  OnnxBuilder net(11);
  const auto up = [&](const std::string& x, const Integers& weight, std::int64_t stride, int groups = 1) {
    const std::string filters = net.random(weight, static_cast<double>(weight[0]));
    const std::string y = net.node("ConvTranspose", {x, filters, net.random({weight[1] * groups}, 4)});
    net.with("strides", Integers{stride, stride}).with("group", std::int64_t{groups});
    return y;
  };
  const auto then = [&](const std::string& x, int in, int out, int stride = 2) {
    return net.conv_norm_relu(x, {.in = in, .out = out, .kernel = 3, .stride = stride});
  };
  const std::string high = then(net.input("image", {3, 12, 8}), 3, 6, 1);
  const std::string low = then(net.max_pool(high, 2, 2, 0), 6, 14, 1);
  std::string x = net.node("Concat", {net.relu(up(low, {14, 7, 2, 2}, 2)), high});
  net.with("axis", std::int64_t{1});
  x = up(then(x, 13, 8, 1), {8, 5, 3, 3}, 2);
  net.with("auto_pad", "SAME_UPPER");
  x = up(then(net.norm(x, 5), 5, 6), {6, 1, 4, 4}, 2, 6);
  net.with("pads", Integers{1, 1, 1, 1});
  x = up(then(x, 6, 8), {8, 3, 3, 2}, 3, 2);
  net.with("output_shape", Integers{35, 23});
  x = up(then(net.norm(x, 6), 6, 6), {6, 4, 3, 3}, 2);
  net.with("pads", Integers{1, 0, 1, 1})
      .with("output_padding", Integers{1, 0})
      .with("dilations", Integers{2, 1});
  x = up(x, {4, 5, 3, 2}, 2);
  net.with("auto_pad", "SAME_LOWER").with("kernel_shape", Integers{3, 2});
  net.output(net.linear(net.pooled(net.relu(x)), 5, kClasses), "logits", {kClasses});
  return net.finish();
}

std::string pixel_shuffles() {
  OnnxBuilder net;
  const auto then = [&](const std::string& x, int in, int out) {
    return net.conv_norm_relu(x, {.in = in, .out = out, .kernel = 3});
  };
  const auto moved = [&](const std::string& x, const char* type, const char* mode) {
    const std::string y = net.node(type, {x});
    net.with("blocksize", std::int64_t{2});
    if (mode != nullptr) net.with("mode", mode);
    return y;
  };
  const auto in_parts = [&](const std::string& x, const Integers& cut, const Integers& order,
                            const Integers& joined) {
    const std::string turned = net.node("Transpose", {net.node("Reshape", {x, net.integers(cut)})});
    net.with("perm", order);
    return net.node("Reshape", {turned, net.integers(joined)});
  };
  std::string x = then(moved(net.input("image", {3, 8, 12}), "SpaceToDepth", nullptr), 12, 20);
  x = then(moved(x, "DepthToSpace", "CRD"), 5, 7);
  x = then(in_parts(x, {-1, 7, 4, 2, 6, 2}, {0, 1, 3, 5, 2, 4}, {-1, 28, 4, 6}), 28, 24);
  x = then(moved(x, "DepthToSpace", nullptr), 6, 9);
  x = then(in_parts(x, {-1, 9, 4, 2, 6, 2}, {0, 3, 5, 1, 2, 4}, {-1, 36, 4, 6}), 36, 16);
  x = then(in_parts(x, {-1, 4, 2, 2, 4, 6}, {0, 1, 4, 2, 5, 3}, {-1, 4, 8, 12}), 4, 12);
  x = then(in_parts(x, {-1, 2, 2, 3, 8, 12}, {0, 3, 4, 1, 5, 2}, {-1, 3, 16, 24}), 3, 6);
  net.output(net.linear(net.pooled(x), 6, kClasses), "logits", {kClasses});
  return net.finish();
}

std::string cbam() {
  OnnxBuilder net;
  std::string x = net.conv_norm_relu(net.input("image", {3, 11, 11}), {.in = 3, .out = 10, .kernel = 3});
  const auto reduced = [&](const char* type, const Integers& axes) {
    const std::string y = net.node(type, {x});
    net.with("axes", axes).with("keepdims", std::int64_t{1});
    return y;
  };
  const std::string down = net.random({4, 10, 1, 1}, 10), up = net.random({10, 4, 1, 1}, 4);
  const auto shared = [&](const std::string& y) {
    return net.node("Conv", {net.node("Tanh", {net.node("Conv", {y, down})}), up});
  };
  const std::string channels =
      net.node("Add", {shared(reduced("ReduceMean", {2, 3})), shared(reduced("ReduceMax", {2, 3}))});
  x = net.node("Mul", {x, net.node("Sigmoid", {channels})});
  const std::string pixels = net.node("Concat", {reduced("ReduceMax", {1}), reduced("ReduceMean", {1})});
  net.with("axis", std::int64_t{1});
  x = net.node("Mul", {x, net.node("Sigmoid", {net.conv(pixels, {.in = 2, .out = 1, .kernel = 5})})});
  x = net.node("LRN", {net.conv_norm_relu(x, {.in = 10, .out = 7})});
  net.with("size", std::int64_t{5}).with("alpha", 0.1F);
  net.output(net.linear(net.pooled(x), 7, kClasses), "logits", {kClasses});
  return net.finish();
}

std::string group_norms() {
  OnnxBuilder net(21);
  const auto conv = [&](const std::string& y, int in, int out) {
    return net.conv(y, {.in = in, .out = out, .kernel = 3, .bias = true});
  };
  std::string x = conv(net.input("image", {3, 9, 9}), 3, 8);
  x = net.relu(net.node("InstanceNormalization", {x, net.random({8}, 3, 0.5, 1.5), net.random({8}, 3)}));
  x = net.node("GroupNormalization", {conv(x, 8, 12), net.random({12}, 3, 0.5, 1.5), net.random({12}, 3)});
  net.with("num_groups", std::int64_t{4}).with("epsilon", 1e-3F);
  const std::string y = conv(net.relu(x), 12, 10);
  const std::string cut = net.node("Reshape", {y, net.integers({0, 5, -1})});
  const std::string normed = net.node(
      "InstanceNormalization", {cut, net.floats({5}, {1, 1, 1, 1, 1}), net.floats({5}, {0, 0, 0, 0, 0})});
  const std::string back = net.node("Reshape", {normed, net.node("Shape", {y})});
  const std::string scaled = net.node("Mul", {back, net.random({10, 1, 1}, 3, 0.5, 1.5)});
  x = net.relu(net.node("Add", {scaled, net.random({10, 1, 1}, 3)}));
  net.output(net.linear(net.pooled(conv(x, 10, 7)), 7, kClasses), "logits", {kClasses});
  return net.finish();
}

std::string keras() {
  OnnxBuilder net;
  const std::string image = net.input("image", {12, 12, 3});
  const std::string scaled = net.node("Mul", {image, net.floats({}, {0.5F})});
  const std::string centred = net.node("Sub", {scaled, net.floats({3}, {0.1F, -0.2F, 0.3F})});
  std::string x = net.node("Transpose", {centred});
  net.with("perm", Integers{0, 3, 1, 2});
  x = net.conv_norm_relu(x, {.in = 3, .out = 9, .kernel = 3, .stride = 2});
  x = net.conv_norm_relu(x, {.in = 9, .out = 7, .kernel = 3});
  x = net.node("Transpose", {x});
  net.with("perm", Integers{0, 2, 3, 1});
  x = net.node("Add", {x, net.random({1, 1, 1, 7}, 7)});
  x = net.node("ReduceMean", {x});
  net.with("axes", Integers{1, 2}).with("keepdims", std::int64_t{0});
  net.output(net.node("LogSoftmax", {net.linear(x, 7, kClasses)}), "logits", {kClasses});
  return net.finish();
}

std::string siamese() {
  OnnxBuilder net;
  const std::string first = net.random({9, 3, 3, 3}, 27), second = net.random({8, 9, 3, 3}, 81);
  const std::string first_bias = net.random({9}, 9), slopes = net.random({8, 1, 1}, 3);
  const std::string matrix = net.random({8, 6}, 8), summand = net.random({6}, 6);
  std::vector<std::string> norm;
  for (const double least : {0.5, -1.0, -1.0, 0.5}) norm.push_back(net.random({8}, 3, least, 1.5));
  const auto arm = [&](const std::string& image) {
    const std::string a = net.relu(net.node("Conv", {image, first, first_bias}));
    std::vector<std::string> read = {net.node("Conv", {a, second})};
    read.insert(read.end(), norm.begin(), norm.end());
    const std::string b = net.node("PRelu", {net.node("BatchNormalization", read), slopes});
    return net.node("Add", {net.node("MatMul", {net.pooled(b), matrix}), summand});
  };
  const std::string one = net.input("image", {3, 10, 10}), other = net.input("other", {3, 10, 10});
  const std::string difference = net.node("Sub", {arm(one), arm(other)});
  net.output(net.linear(net.node("Mul", {difference, difference}), 6, kClasses), "logits", {kClasses});
  return net.finish();
}

std::string shared_head() {
  OnnxBuilder net;
  const std::string deep = net.random({10, 1, 3, 3}, 9), wide = net.random({7, 10, 1, 1}, 10);
  const std::string step = net.random({7, 7}, 7), step_bias = net.random({7}, 7);
  const auto head = [&](const std::string& x) {
    const std::string again = net.node("Identity", {wide});
    const std::string a = net.node("Conv", {x, deep});
    net.with("group", std::int64_t{10});
    std::string y = net.pooled(net.relu(net.norm(net.node("Conv", {net.norm(a, 10), again}), 7)));
    for (int i = 0; i < 3; ++i) {
      const std::string matrix = net.node("Transpose", {step});
      net.with("perm", Integers{1, 0});
      y = net.node("Tanh", {net.node("Gemm", {y, matrix, step_bias})});
    }
    return y;
  };
  const std::string large =
      net.conv_norm_relu(net.input("image", {3, 14, 14}), {.in = 3, .out = 10, .kernel = 3});
  const std::string small = net.conv_norm_relu(large, {.in = 10, .out = 10, .kernel = 3, .stride = 2});
  const std::string both = net.node("Add", {head(large), head(small)});
  net.output(net.linear(both, 7, kClasses), "logits", {kClasses});
  return net.finish();
}

}  // namespace concertina::testing
