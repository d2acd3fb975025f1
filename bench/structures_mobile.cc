#include <fmt/format.h>

#include "structure_families.h"

namespace concertina::bench {
namespace {

/// An inverted residual block (Sandler et al. 2018).
struct Inverted {
  int kernel = 3;
  int expanded = 0;
  int out = 0;
  int stride = 1;
  Nonlinearity nonlinearity = Nonlinearity::relu;
  Excitation excitation = {};
};

NodeId add_inverted(StructureLayers& net, const std::string& name, NodeId x, const Inverted& block) {
  const Window window = Window::square(block.kernel, block.stride, block.kernel / 2);
  NodeId y = x;
  if (block.expanded != net.channels(x)) {
    y = net.conv_bn_activate(name + ".expand", y, block.expanded, {}, 1, block.nonlinearity);
  }
  y = net.conv_bn_activate(name + ".depthwise", y, block.expanded, window, block.expanded,
                           block.nonlinearity);
  if (block.excitation.squeezed > 0) y = net.excite(name + ".se", y, block.excitation);
  y = net.conv_bn(name + ".project", y, block.out, Window::square(1));
  return block.stride == 1 && block.out == net.channels(x) ? net.sum(name + ".add", x, y) : y;
}

/// The main branch of a block of ShuffleNetV2.
NodeId add_shuffle_branch(StructureLayers& net, const std::string& name, NodeId x, int channels, int stride) {
  x = net.conv_bn_relu(name + ".conv1", x, channels, Window::square(1));
  x = net.conv_bn(name + ".depthwise", x, channels, Window::square(3, stride, 1), channels);
  return net.conv_bn_relu(name + ".conv2", x, channels, Window::square(1));
}

/// `half`: the channels of either branch.
NodeId add_shuffle_block(StructureLayers& net, const std::string& name, NodeId x, int half,
                         bool downsamples) {
  NodeId a, b;
  if (downsamples) {
    const int channels = net.channels(x);
    a = net.conv_bn(name + ".side.depthwise", x, channels, Window::square(3, 2, 1), channels);
    a = net.conv_bn_relu(name + ".side.conv", a, half, Window::square(1));
    b = add_shuffle_branch(net, name, x, half, 2);
  } else {
    a = net.slice(name + ".first", x, 0, half);
    b = add_shuffle_branch(net, name, net.slice(name + ".second", x, half, 2 * half), half, 1);
  }
  return net.shuffle(name + ".shuffle", net.concat(name + ".concat", {a, b}), 2);
}

}  // namespace

/// MobileNetV2 (Sandler et al. 2018).
void add_mobilenet_v2(StructureLayers& net, int classes) {
  struct Stage {
    int expansion, out, blocks, stride;
  };
  constexpr Nonlinearity kRelu6 = Nonlinearity::relu6;
  NodeId x = net.conv_bn_activate("stem", net.input(), 32, Window::square(3, 2, 1), 1, kRelu6);
  int number = 0;
  for (const auto [expansion, out, blocks, stride] : {Stage{1, 16, 1, 1},
                                                      {6, 24, 2, 2},
                                                      {6, 32, 3, 2},
                                                      {6, 64, 4, 2},
                                                      {6, 96, 3, 1},
                                                      {6, 160, 3, 2},
                                                      {6, 320, 1, 1}}) {
    for (int block = 0; block < blocks; ++block) {
      x = add_inverted(net, fmt::format("block{}", ++number), x,
                       {.expanded = expansion * net.channels(x),
                        .out = out,
                        .stride = block == 0 ? stride : 1,
                        .nonlinearity = kRelu6});
    }
  }
  net.classify(net.conv_bn_activate("head", x, 1280, {}, 1, kRelu6), classes);
}

/// MobileNetV3-Large (Howard et al. 2019).
void add_mobilenet_v3_large(StructureLayers& net, int classes) {
  struct Block {
    int kernel, expanded, out, squeezed;
    Nonlinearity nonlinearity;
    int stride;
  };
  constexpr Nonlinearity kRelu = Nonlinearity::relu, kSwish = Nonlinearity::hard_swish;
  const op::Activation gate = op::activation(op::Function::hard_sigmoid, 1.0F / 6, 0.5F);
  NodeId x = net.conv_bn_activate("stem", net.input(), 16, Window::square(3, 2, 1), 1, kSwish);
  int number = 0;
  for (const Block& block : {Block{3, 16, 16, 0, kRelu, 1},
                             {3, 64, 24, 0, kRelu, 2},
                             {3, 72, 24, 0, kRelu, 1},
                             {5, 72, 40, 24, kRelu, 2},
                             {5, 120, 40, 32, kRelu, 1},
                             {5, 120, 40, 32, kRelu, 1},
                             {3, 240, 80, 0, kSwish, 2},
                             {3, 200, 80, 0, kSwish, 1},
                             {3, 184, 80, 0, kSwish, 1},
                             {3, 184, 80, 0, kSwish, 1},
                             {3, 480, 112, 120, kSwish, 1},
                             {3, 672, 112, 168, kSwish, 1},
                             {5, 672, 160, 168, kSwish, 2},
                             {5, 960, 160, 240, kSwish, 1},
                             {5, 960, 160, 240, kSwish, 1}}) {
    x = add_inverted(net, fmt::format("block{}", ++number), x,
                     {.kernel = block.kernel,
                      .expanded = block.expanded,
                      .out = block.out,
                      .stride = block.stride,
                      .nonlinearity = block.nonlinearity,
                      .excitation = {.squeezed = block.squeezed, .nonlinearity = kRelu, .gate = gate}});
  }
  x = net.conv_bn_activate("head", x, 960, {}, 1, kSwish);
  x = net.linear("fc1", net.flatten("flatten", net.global_pool("pool", x)), 1280);
  net.linear("fc", net.activate("fc1_activation", x, kSwish), classes);
}

/// EfficientNet-B0 (Tan and Le 2019).
void add_efficientnet_b0(StructureLayers& net, int classes) {
  struct Stage {
    int expansion, kernel, out, blocks, stride;
  };
  constexpr Nonlinearity kSilu = Nonlinearity::silu;
  NodeId x = net.conv_bn_activate("stem", net.input(), 32, Window::square(3, 2, 1), 1, kSilu);
  int number = 0;
  for (const auto [expansion, kernel, out, blocks, stride] : {Stage{1, 3, 16, 1, 1},
                                                              {6, 3, 24, 2, 2},
                                                              {6, 5, 40, 2, 2},
                                                              {6, 3, 80, 3, 2},
                                                              {6, 5, 112, 3, 1},
                                                              {6, 5, 192, 4, 2},
                                                              {6, 3, 320, 1, 1}}) {
    for (int block = 0; block < blocks; ++block) {
      x = add_inverted(net, fmt::format("block{}", ++number), x,
                       {.kernel = kernel,
                        .expanded = expansion * net.channels(x),
                        .out = out,
                        .stride = block == 0 ? stride : 1,
                        .nonlinearity = kSilu,
                        .excitation = {.squeezed = net.channels(x) / 4, .nonlinearity = kSilu}});
    }
  }
  net.classify(net.conv_bn_activate("head", x, 1280, {}, 1, kSilu), classes);
}

/// ShuffleNetV2 x1.0 (Ma et al. 2018).
void add_shufflenet_v2(StructureLayers& net, int classes) {
  struct Stage {
    int channels, blocks;
  };
  NodeId x = net.conv_bn_relu("stem", net.input(), 24, Window::square(3, 2, 1));
  x = net.max_pool("stem_pool", x, Window::square(3, 2, 1));
  int number = 1;
  for (const auto [channels, blocks] : {Stage{116, 4}, {232, 8}, {464, 4}}) {
    ++number;
    for (int block = 1; block <= blocks; ++block) {
      x = add_shuffle_block(net, fmt::format("stage{}.block{}", number, block), x, channels / 2, block == 1);
    }
  }
  net.classify(net.conv_bn_relu("head", x, 1024, Window::square(1)), classes);
}

}  // namespace concertina::bench
