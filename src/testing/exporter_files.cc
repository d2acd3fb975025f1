#include "testing/exporter_files.h"

#include <algorithm>
#include <iterator>
#include <numeric>

#include "testing/exporter_idioms.h"
#include "testing/exporter_parts.h"
#include "testing/onnx_builder.h"

namespace concertina::testing {
namespace {

using Integers = OnnxBuilder::Integers;

constexpr int kClasses = 5;

std::string classified(OnnxBuilder& net, const std::string& features) {
  net.output(features, "logits", {kClasses});
  return net.finish();
}

/// Basic blocks.
std::string resnet() {
  OnnxBuilder net;
  std::string x = net.conv_norm_relu(net.input("image", {3, 16, 16}), {.in = 3, .out = 8, .kernel = 3});
  const auto block = [&](int in, int out, int stride) {
    const std::string a = net.conv_norm_relu(x, {.in = in, .out = out, .kernel = 3, .stride = stride});
    const std::string b = net.conv_norm(a, {.in = out, .out = out, .kernel = 3});
    const std::string shortcut = stride == 1 ? x : net.conv_norm(x, {.in = in, .out = out, .stride = stride});
    x = net.relu(net.node("Add", {b, shortcut}));
  };
  block(8, 8, 1);
  block(8, 16, 2);
  return classified(net, net.linear(net.pooled(x), 16, kClasses));
}

/// Bottlenecks with convolutions in `groups`, the batch norms folded away.
std::string bottleneck(int groups, bool folded) {
  OnnxBuilder net(17);
  const auto layer = [&](const std::string& x, OnnxBuilder::Conv conv) {
    conv.bias = folded;
    return folded ? net.conv(x, conv) : net.conv_norm(x, conv);
  };
  std::string x = net.relu(layer(net.input("image", {3, 16, 16}), {.in = 3, .out = 16, .kernel = 3}));
  for (int i = 0; i < 2; ++i) {
    const std::string a = net.relu(layer(x, {.in = 16, .out = 8}));
    const std::string b = net.relu(layer(a, {.in = 8, .out = 8, .kernel = 3, .groups = groups}));
    x = net.relu(net.node("Add", {layer(b, {.in = 8, .out = 16}), x}));
  }
  return classified(net, net.linear(net.pooled(x), 16, kClasses));
}
std::string resnet_bottleneck() {
  return bottleneck(1, true);
}
std::string resnext() {
  return bottleneck(4, false);
}

/// Norm, ReLU, convolution; every layer reads all before it.
std::string densenet() {
  OnnxBuilder net;
  std::string x = net.conv(net.input("image", {3, 16, 16}), {.in = 3, .out = 8, .kernel = 3});
  int channels = 8;
  for (int block = 0; block < 2; ++block) {
    std::vector<std::string> all = {x};
    for (int i = 0; i < 2; ++i) {
      const std::string joined = all.size() == 1 ? x : net.node("Concat", all);
      if (all.size() > 1) net.with("axis", std::int64_t{1});
      const std::string a = net.relu(net.norm(joined, channels));
      const std::string b = net.conv_norm_relu(a, {.in = channels, .out = 12});
      all.push_back(net.conv(b, {.in = 12, .out = 4, .kernel = 3}));
      channels += 4;
    }
    x = net.node("Concat", all);
    net.with("axis", std::int64_t{1});
    x = net.relu(net.norm(x, channels));
    if (block > 0) break;
    x = net.node("AveragePool", {net.conv(x, {.in = channels, .out = channels / 2})});
    net.with("kernel_shape", Integers{2, 2}).with("strides", Integers{2, 2});
    channels /= 2;
  }
  return classified(net, net.linear(net.pooled(x), channels, kClasses));
}

/// Branches; pooling that rounds up; the input's channels normalised one by one, as torchvision does; an
/// auxiliary classifier as second output.
std::string googlenet() {
  OnnxBuilder net;
  const std::string image = net.input("image", {3, 19, 19});
  std::vector<std::string> colours;
  for (int c = 0; c < 3; ++c) {
    const std::string index = net.integers({c});
    const std::string plane = net.node("Gather", {image, index});
    net.with("axis", std::int64_t{1});
    const std::string scaled =
        net.node("Mul", {plane, net.floats({}, {0.9F + 0.1F * static_cast<float>(c)})});
    colours.push_back(net.node("Add", {scaled, net.floats({}, {0.05F * static_cast<float>(c)})}));
  }
  std::string x = net.node("Concat", colours);
  net.with("axis", std::int64_t{1});
  const auto pool = [&](const std::string& value, int kernel, int stride, std::int64_t pad) {
    const std::string y = net.node("MaxPool", {value});
    net.with("ceil_mode", std::int64_t{1}).with("kernel_shape", Integers{kernel, kernel});
    net.with("pads", Integers{pad, pad, pad, pad}).with("strides", Integers{stride, stride});
    return y;
  };
  x = pool(net.conv_norm_relu(x, {.in = 3, .out = 8, .kernel = 3}), 3, 2, 0);
  std::string auxiliary;
  int channels = 8;
  for (int i = 0; i < 2; ++i) {
    const std::string a = net.conv_norm_relu(x, {.in = channels, .out = 4});
    const std::string b = net.conv_norm_relu(net.conv_norm_relu(x, {.in = channels, .out = 6}),
                                             {.in = 6, .out = 8, .kernel = 3});
    const std::string c = net.conv_norm_relu(net.conv_norm_relu(x, {.in = channels, .out = 2}),
                                             {.in = 2, .out = 4, .kernel = 5});
    const std::string d = net.conv_norm_relu(pool(x, 3, 1, 1), {.in = channels, .out = 4});
    x = net.node("Concat", {a, b, c, d});
    net.with("axis", std::int64_t{1});
    channels = 20;
    if (i == 0) auxiliary = net.linear(net.pooled(net.conv_norm_relu(x, {.in = 20, .out = 6})), 6, kClasses);
  }
  const std::string dropped = net.node("Dropout", {net.pooled(x)});
  const std::string logits = net.linear(dropped, channels, kClasses);
  net.output(logits, "logits", {kClasses});
  net.output(auxiliary, "auxiliary", {kClasses});
  return net.finish();
}

/// Fire modules, a convolution as classifier, no batch norm anywhere.
std::string squeezenet() {
  OnnxBuilder net(9);
  std::string x = net.relu(
      net.conv(net.input("image", {3, 17, 17}), {.in = 3, .out = 8, .kernel = 3, .stride = 2, .bias = true}));
  int channels = 8;
  for (int i = 0; i < 2; ++i) {
    const std::string squeezed = net.relu(net.conv(x, {.in = channels, .out = 4, .bias = true}));
    const std::string a = net.relu(net.conv(squeezed, {.in = 4, .out = 6, .bias = true}));
    const std::string b = net.relu(net.conv(squeezed, {.in = 4, .out = 6, .kernel = 3, .bias = true}));
    x = net.node("Concat", {a, b});
    net.with("axis", std::int64_t{1});
    channels = 12;
  }
  x = net.relu(net.conv(net.node("Dropout", {x}), {.in = 12, .out = kClasses, .bias = true}));
  return classified(net, net.pooled(x));
}

/// The bounds of ReLU6 as inputs.
std::string relu6(OnnxBuilder& net, const std::string& x) {
  return net.node("Clip", {x, net.floats({}, {0}), net.floats({}, {6})});
}

std::string mobilenet_v1() {
  OnnxBuilder net(11);
  std::string x = relu6(
      net, net.conv_norm(net.input("image", {3, 16, 16}), {.in = 3, .out = 8, .kernel = 3, .stride = 2}));
  int channels = 8;
  for (const int stride : {1, 2}) {
    x = relu6(net,
              net.conv_norm(
                  x, {.in = channels, .out = channels, .kernel = 3, .stride = stride, .groups = channels}));
    x = relu6(net, net.conv_norm(x, {.in = channels, .out = 2 * channels}));
    channels *= 2;
  }
  const std::string mean = net.node("ReduceMean", {x});
  net.with("axes", Integers{2, 3}).with("keepdims", std::int64_t{0});
  return classified(net, net.linear(mean, channels, kClasses));
}

/// Inverted residuals; the flattening computes its shape.
std::string mobilenet_v2() {
  OnnxBuilder net;
  std::string x = relu6(
      net, net.conv_norm(net.input("image", {3, 16, 16}), {.in = 3, .out = 8, .kernel = 3, .stride = 2}));
  for (int i = 0; i < 2; ++i) {
    const std::string a = relu6(net, net.conv_norm(x, {.in = 8, .out = 24}));
    const std::string b = relu6(net, net.conv_norm(a, {.in = 24, .out = 24, .kernel = 3, .groups = 24}));
    x = net.node("Add", {x, net.conv_norm(b, {.in = 24, .out = 8})});
  }
  x = net.node("GlobalAveragePool", {x});
  const std::string batch = net.node("Gather", {net.node("Shape", {x}), net.integers({0})});
  net.with("axis", std::int64_t{0});
  const std::string shape = net.node("Concat", {batch, net.integers({-1})});
  net.with("axis", std::int64_t{0});
  return classified(net, net.linear(net.node("Reshape", {x, shape}), 8, kClasses));
}

/// Squeeze-and-excitation with a hard sigmoid, hard swish as PyTorch writes it before operator set 14.
std::string mobilenet_v3() {
  OnnxBuilder net;
  const auto gate = [&](const std::string& x) {
    const std::string y = net.node("HardSigmoid", {x});
    net.with("alpha", 1.0F / 6);
    return y;
  };
  const auto swish = [&](const std::string& x) { return net.node("Mul", {x, gate(x)}); };
  std::string x =
      swish(net.conv_norm(net.input("image", {3, 16, 16}), {.in = 3, .out = 8, .kernel = 3, .stride = 2}));
  for (int i = 0; i < 2; ++i) {
    const std::string a = swish(net.conv_norm(x, {.in = 8, .out = 16}));
    const std::string b = swish(net.conv_norm(a, {.in = 16, .out = 16, .kernel = 5, .groups = 16}));
    const std::string squeezed =
        net.relu(net.conv(net.node("GlobalAveragePool", {b}), {.in = 16, .out = 4, .bias = true}));
    const std::string factors = gate(net.conv(squeezed, {.in = 4, .out = 16, .bias = true}));
    x = net.node("Add", {net.conv_norm(net.node("Mul", {factors, b}), {.in = 16, .out = 8}), x});
  }
  const std::string hidden = swish(net.linear(net.pooled(x), 8, 12));
  return classified(net, net.linear(hidden, 12, kClasses));
}

/// Halves of the channels, shuffled.
std::string shufflenet_v2() {
  OnnxBuilder net;
  std::string x =
      net.conv_norm_relu(net.input("image", {3, 16, 16}), {.in = 3, .out = 8, .kernel = 3, .stride = 2});
  int size = 8;
  const auto branch = [&](const std::string& from, int in, int stride) {
    const std::string a = net.conv_norm_relu(from, {.in = in, .out = 8});
    const std::string b = net.conv_norm(a, {.in = 8, .out = 8, .kernel = 3, .stride = stride, .groups = 8});
    return net.conv_norm_relu(b, {.in = 8, .out = 8});
  };
  for (int i = 0; i < 3; ++i) {
    std::string kept, changed;
    if (i == 0) {
      const std::string reduced =
          net.conv_norm(x, {.in = 8, .out = 8, .kernel = 3, .stride = 2, .groups = 8});
      kept = net.conv_norm_relu(reduced, {.in = 8, .out = 8});
      changed = branch(x, 8, 2);
      size /= 2;
    } else {
      kept = net.node("Split", {x, net.integers({8, 8})});
      net.with("axis", std::int64_t{1});
      changed = branch(net.more_output(), 8, 1);
    }
    x = net.node("Concat", {kept, changed});
    net.with("axis", std::int64_t{1});
    x = net.node("Reshape", {x, net.integers({-1, 2, 8, size, size})});
    x = net.node("Transpose", {x});
    net.with("perm", Integers{0, 2, 1, 3, 4});
    x = net.node("Reshape", {x, net.integers({-1, 16, size, size})});
  }
  x = net.conv_norm_relu(x, {.in = 16, .out = 24});
  const std::string mean = net.node("ReduceMean", {x});
  net.with("axes", Integers{-1, -2}).with("keepdims", std::int64_t{0});
  return classified(net, net.linear(mean, 24, kClasses));
}

/// SiLU; the squeeze keeps its dimensions.
std::string efficientnet() {
  OnnxBuilder net(18);
  const auto silu = [&](const std::string& x) { return net.node("Mul", {x, net.node("Sigmoid", {x})}); };
  std::string x =
      silu(net.conv_norm(net.input("image", {3, 16, 16}), {.in = 3, .out = 8, .kernel = 3, .stride = 2}));
  for (int i = 0; i < 2; ++i) {
    const std::string a = silu(net.conv_norm(x, {.in = 8, .out = 16}));
    const std::string b = silu(net.conv_norm(a, {.in = 16, .out = 16, .kernel = 3, .groups = 16}));
    const std::string mean = net.node("ReduceMean", {b, net.integers({2, 3})});
    net.with("keepdims", std::int64_t{1});
    const std::string squeezed = silu(net.conv(mean, {.in = 16, .out = 4, .bias = true}));
    const std::string factors = net.node("Sigmoid", {net.conv(squeezed, {.in = 4, .out = 16, .bias = true})});
    x = net.node("Add", {net.conv_norm(net.node("Mul", {b, factors}), {.in = 16, .out = 8}), x});
  }
  return classified(net, net.linear(net.pooled(x), 8, kClasses));
}

/// A map is flattened before two linear layers.
std::string vgg() {
  OnnxBuilder net;
  std::string x = net.conv_norm_relu(net.input("image", {3, 16, 16}), {.in = 3, .out = 8, .kernel = 3});
  x = net.max_pool(x, 2, 2, 0);
  x = net.max_pool(net.conv_norm_relu(x, {.in = 8, .out = 12, .kernel = 3}), 2, 2, 0);
  const std::string hidden = net.relu(net.linear(net.node("Flatten", {x}), 12 * 16, 10));
  return classified(net, net.linear(net.node("Dropout", {hidden}), 10, kClasses));
}

/// As TensorFlow's converters write it: pixels first, automatic padding, weights that are turned, MatMul, a
/// flattening of pixels first.
std::string alexnet() {
  OnnxBuilder net(10);
  const std::string image = net.input("image", {16, 16, 3});
  std::string x = net.node("Transpose", {image});
  net.with("perm", Integers{0, 3, 1, 2});
  const std::string weight = net.node("Transpose", {net.random({5, 5, 3, 8}, 75)});
  net.with("perm", Integers{3, 2, 0, 1});
  x = net.node("Conv", {x, weight});
  net.with("auto_pad", "SAME_UPPER").with("strides", Integers{2, 2});
  x = net.relu(net.node("Add", {x, net.random({1, 8, 1, 1}, 10)}));
  x = net.node("MaxPool", {x});
  net.with("auto_pad", "VALID").with("kernel_shape", Integers{3, 3}).with("strides", Integers{2, 2});
  x = net.node("Transpose", {net.relu(net.conv(x, {.in = 8, .out = 6, .kernel = 3, .bias = true}))});
  net.with("perm", Integers{0, 2, 3, 1});
  x = net.node("Reshape", {x, net.integers({-1, 54})});
  x = net.relu(net.node("Add", {net.node("MatMul", {x, net.random({54, 10}, 54)}), net.random({10}, 10)}));
  x = net.node("Add", {net.node("MatMul", {x, net.random({10, kClasses}, 10)}), net.random({kClasses}, 10)});
  return classified(net, x);
}

/// Up and down, concatenated; a map is the output.
std::string unet() {
  OnnxBuilder net;
  const auto up = [&](const std::string& x, bool linear) {
    const std::string y = net.node("Resize", {x, "", net.floats({4}, {1, 1, 2, 2})});
    net.with("mode", linear ? "linear" : "nearest");
    net.with("coordinate_transformation_mode", linear ? "half_pixel" : "asymmetric");
    if (!linear) net.with("nearest_mode", "floor");
    return y;
  };
  const std::string a = net.conv_norm_relu(net.input("image", {3, 16, 16}), {.in = 3, .out = 6, .kernel = 3});
  const std::string b = net.conv_norm_relu(net.max_pool(a, 2, 2, 0), {.in = 6, .out = 8, .kernel = 3});
  const std::string c = net.conv_norm_relu(net.max_pool(b, 2, 2, 0), {.in = 8, .out = 10, .kernel = 3});
  const std::string upper = net.node("Concat", {up(c, false), b});
  net.with("axis", std::int64_t{1});
  const std::string d = net.conv_norm_relu(upper, {.in = 18, .out = 8, .kernel = 3});
  const std::string top = net.node("Concat", {up(d, true), a});
  net.with("axis", std::int64_t{1});
  const std::string e = net.conv_norm_relu(top, {.in = 14, .out = 6, .kernel = 3, .dilation = 2});
  net.output(net.conv(e, {.in = 6, .out = 2, .bias = true}), "mask", {2, 16, 16});
  return net.finish();
}

/// An image and a vector of facts about it.
std::string two_inputs() {
  OnnxBuilder net;
  const std::string image = net.input("image", {3, 12, 12}), facts = net.input("facts", {7});
  const std::string seen =
      net.pooled(net.conv_norm_relu(image, {.in = 3, .out = 8, .kernel = 3, .stride = 2}));
  const std::string known = net.relu(net.linear(facts, 7, 6));
  const std::string joined = net.node("Concat", {seen, known});
  net.with("axis", std::int64_t{1});
  return classified(net, net.linear(net.relu(net.linear(joined, 14, 12)), 12, kClasses));
}

/// Masks by channel and by pixel, paddings, leaky and clipped values, constants here and there; an inner
/// value and a class are outputs.
std::string odd() {
  OnnxBuilder net;
  const std::string image = net.input("image", {4, 11, 11});
  std::string x = net.node("Sub", {image, net.floats({4, 1, 1}, {0.1F, -0.2F, 0.3F, 0})});
  x = net.node("Div", {x, net.floats({1, 4, 1, 1}, {1, 2, 0.5F, 4})});
  x = net.node("Pad", {x, net.integers({0, 0, 1, 2, 0, 0, 1, 0})});
  net.with("mode", "reflect");
  x = net.node("LeakyRelu", {net.conv_norm(x, {.in = 4, .out = 12, .kernel = 3})});
  net.with("alpha", 0.2F);
  const std::string left = net.node("Slice", {x, net.integers({0}), net.integers({5}), net.integers({1})});
  const std::string right =
      net.node("Slice", {x, net.integers({5}), net.integers({1 << 30}), net.integers({1})});
  const std::string mask =
      net.node("Sigmoid", {net.conv(left, {.in = 5, .out = 1, .kernel = 3, .bias = true})});
  const std::string masked = net.node("Mul", {right, mask});
  const std::string one = net.node("Sub", {net.floats({}, {1}), mask});
  const std::string bent =
      net.node("Clip", {net.node("Mul", {one, left}), net.floats({}, {-0.5F}), net.floats({}, {0.75F})});
  const std::string joined = net.node("Concat", {bent, masked});
  net.with("axis", std::int64_t{-3});
  const std::string padded =
      net.node("Pad", {joined, net.integers({0, 0, 0, 1, 0, 0, 2, 1}), net.floats({}, {0.25F})});
  net.with("mode", "constant");
  const std::string inner = net.conv_norm(padded, {.in = 12, .out = 6, .kernel = 3, .stride = 2});
  const std::string sum = net.node("Sum", {inner, net.node("Neg", {inner}), net.relu(inner)});
  const std::string logits = net.linear(net.pooled(sum), 6, kClasses);
  net.output(net.node("Softmax", {logits}), "classes", {kClasses});
  net.with("axis", std::int64_t{-1});
  net.output(inner, "inner", {6, 8, 8});
  return net.finish();
}

constexpr struct {
  std::string_view name;
  std::string (*make)();
} kNetworks[] = {{"resnet", resnet},
                 {"resnet_bottleneck", resnet_bottleneck},
                 {"resnext", resnext},
                 {"densenet", densenet},
                 {"googlenet", googlenet},
                 {"squeezenet", squeezenet},
                 {"mobilenet_v1", mobilenet_v1},
                 {"mobilenet_v2", mobilenet_v2},
                 {"mobilenet_v3", mobilenet_v3},
                 {"shufflenet_v2", shufflenet_v2},
                 {"efficientnet", efficientnet},
                 {"vgg", vgg},
                 {"alexnet", alexnet},
                 {"unet", unet},
                 {"two_inputs", two_inputs},
                 {"odd", odd},
                 {"functions", functions},
                 {"functions_in_parts", functions_in_parts},
                 {"expanded_gates", expanded_gates},
                 {"option_a", option_a},
                 {"convnext", convnext},
                 {"transposed", transposed},
                 {"pixel_shuffles", pixel_shuffles},
                 {"cbam", cbam},
                 {"group_norms", group_norms},
                 {"keras", keras},
                 {"siamese", siamese},
                 {"shared_head", shared_head},
                 {"padded", padded},
                 {"computed_weights", computed_weights},
                 {"norms_in_parts", norms_in_parts},
                 {"reductions", reductions},
                 {"cut_maps", cut_maps},
                 {"channel_attention", channel_attention},
                 {"lengths", lengths},
                 {"reordered", reordered}};

}  // namespace

std::vector<std::string> test_networks() {
  std::vector<std::string> names;
  for (const auto& network : kNetworks) names.emplace_back(network.name);
  return names;
}

std::string test_network(std::string_view name) {
  return std::find_if(std::begin(kNetworks), std::end(kNetworks),
                      [&](const auto& network) { return network.name == name; })
      ->make();
}

bool takes_pixels_first(std::string_view name) {
  return name == "alexnet" || name == "keras";
}

}  // namespace concertina::testing
