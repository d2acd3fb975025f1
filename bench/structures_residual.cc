#include <fmt/format.h>

#include "structure_families.h"

namespace concertina::bench {
namespace {

struct Bottleneck {
  int inner = 0;
  int out = 0;
  int stride = 1;
  int groups = 1;
  Excitation excitation = {};
};

NodeId add_bottleneck(StructureLayers& net, const std::string& name, NodeId x, const Bottleneck& block) {
  NodeId y = net.conv_bn_relu(name + ".conv1", x, block.inner, Window::square(1));
  y = net.conv_bn_relu(name + ".conv2", y, block.inner, Window::square(3, block.stride, 1), block.groups);
  if (block.excitation.squeezed > 0) y = net.excite(name + ".se", y, block.excitation);
  y = net.conv_bn(name + ".conv3", y, block.out, Window::square(1));
  if (block.stride > 1 || net.channels(x) != block.out) {
    x = net.conv_bn(name + ".shortcut", x, block.out, Window::square(1, block.stride));
  }
  return net.relu(name + ".relu", net.sum(name + ".add", y, x));
}

/// ResNet (He et al. 2016) of 50 layers, with the stride at the 3x3 convolutions ("v1.5"). `inner`: of the
/// first stage's blocks.
void add_resnet50_of(StructureLayers& net, int classes, int inner, int groups) {
  NodeId x = net.conv_bn_relu("stem", net.input(), 64, Window::square(7, 2, 3));
  x = net.max_pool("stem_pool", x, Window::square(3, 2, 1));
  int stage = 0;
  for (const int blocks : {3, 4, 6, 3}) {
    for (int block = 0; block < blocks; ++block) {
      x = add_bottleneck(net, fmt::format("stage{}.block{}", stage + 1, block + 1), x,
                         {.inner = inner << stage,
                          .out = 256 << stage,
                          .stride = stage > 0 && block == 0 ? 2 : 1,
                          .groups = groups});
    }
    ++stage;
  }
  net.classify(x, classes);
}

NodeId add_convnext_block(StructureLayers& net, const std::string& name, NodeId x) {
  const int channels = net.channels(x);
  NodeId y = net.conv(name + ".depthwise", x, channels, Window::square(7, 1, 3), channels);
  y = net.layer_norm(name + ".norm", y);
  y = net.conv(name + ".expand", y, 4 * channels);
  y = net.add(name + ".gelu", op::activation(op::Function::gelu), {y});
  y = net.conv(name + ".reduce", y, channels);
  return net.sum(name + ".add", net.scale(name + ".scale", y), x);
}

}  // namespace

void add_resnet50(StructureLayers& net, int classes) {
  add_resnet50_of(net, classes, 64, 1);
}

/// ResNeXt (Xie et al. 2017).
void add_resnext50(StructureLayers& net, int classes) {
  add_resnet50_of(net, classes, 128, 32);
}

/// RegNetY (Radosavovic et al. 2020).
void add_regnet_y_400mf(StructureLayers& net, int classes) {
  struct Stage {
    int channels;
    int blocks;
  };
  constexpr int kGroupChannels = 8;
  NodeId x = net.conv_bn_relu("stem", net.input(), 32, Window::square(3, 2, 1));
  int number = 0;
  for (const auto [channels, blocks] : {Stage{48, 1}, {104, 3}, {208, 6}, {440, 6}}) {
    ++number;
    for (int block = 1; block <= blocks; ++block) {
      x = add_bottleneck(net, fmt::format("stage{}.block{}", number, block), x,
                         {.inner = channels,
                          .out = channels,
                          .stride = block == 1 ? 2 : 1,
                          .groups = channels / kGroupChannels,
                          .excitation = {.squeezed = net.channels(x) / 4}});
    }
  }
  net.classify(x, classes);
}

/// ConvNeXt (Liu et al. 2022).
void add_convnext_tiny(StructureLayers& net, int classes) {
  struct Stage {
    int channels;
    int blocks;
  };
  NodeId x = net.input();
  int number = 0;
  for (const auto [channels, blocks] : {Stage{96, 3}, {192, 3}, {384, 9}, {768, 3}}) {
    const std::string name = fmt::format("stage{}", ++number);
    if (number == 1) {
      x = net.layer_norm("stem_norm", net.conv("stem", x, channels, Window::square(4, 4)));
    } else {
      x = net.layer_norm(name + ".norm", x);
      x = net.conv(name + ".downsample", x, channels, Window::square(2, 2));
    }
    for (int block = 1; block <= blocks; ++block) {
      x = add_convnext_block(net, fmt::format("{}.block{}", name, block), x);
    }
  }
  x = net.layer_norm("norm", net.global_pool("pool", x));
  net.linear("fc", net.flatten("flatten", x), classes);
}

}  // namespace concertina::bench
