#include <fmt/format.h>

#include "structure_families.h"

namespace concertina::bench {
namespace {

/// A window of stride 2 that adds no pixel before the map, but one after it where the last window needs one.
Window rounded_up(int kernel, int after) {
  Window window = Window::square(kernel, 2);
  window.pad_bottom = window.pad_right = after;
  return window;
}

struct Inception {
  const char* name;
  int one;
  int before_three, three;
  int before_five, five;
  int pooled;
};

/// The branch of 5x5 convolutions has 3x3 ones, as in the trained network.
NodeId add_inception(StructureLayers& net, NodeId x, const Inception& block) {
  const std::string name = block.name;
  const Window one = Window::square(1), three = Window::square(3, 1, 1);
  const NodeId a = net.conv_bn_relu(name + ".branch1", x, block.one, one);
  NodeId b = net.conv_bn_relu(name + ".branch2.reduce", x, block.before_three, one);
  b = net.conv_bn_relu(name + ".branch2", b, block.three, three);
  NodeId c = net.conv_bn_relu(name + ".branch3.reduce", x, block.before_five, one);
  c = net.conv_bn_relu(name + ".branch3", c, block.five, three);
  NodeId d = net.max_pool(name + ".pool", x, three);
  d = net.conv_bn_relu(name + ".branch4", d, block.pooled, one);
  return net.concat(name + ".concat", {a, b, c, d});
}

NodeId add_fire(StructureLayers& net, int number, NodeId x, int squeezed, int expanded) {
  const std::string name = fmt::format("fire{}", number);
  const auto conv_relu = [&](const std::string& part, NodeId from, int channels, Window window) {
    return net.relu(name + part + "_relu", net.conv(name + part, from, channels, window));
  };
  x = conv_relu(".squeeze", x, squeezed, Window::square(1));
  const NodeId one = conv_relu(".expand1", x, expanded, Window::square(1));
  const NodeId three = conv_relu(".expand3", x, expanded, Window::square(3, 1, 1));
  return net.concat(name + ".concat", {one, three});
}

NodeId add_two_convs(StructureLayers& net, const std::string& name, NodeId x, int channels) {
  x = net.conv_bn_relu(name + ".conv1", x, channels, Window::square(3, 1, 1));
  return net.conv_bn_relu(name + ".conv2", x, channels, Window::square(3, 1, 1));
}

}  // namespace

/// DenseNet (Huang et al. 2017).
void add_densenet121(StructureLayers& net, int classes) {
  constexpr int kGrowth = 32;
  NodeId x = net.conv_bn_relu("stem", net.input(), 64, Window::square(7, 2, 3));
  x = net.max_pool("stem_pool", x, Window::square(3, 2, 1));
  int number = 0;
  for (const int layers : {6, 12, 24, 16}) {
    if (++number > 1) {
      const std::string name = fmt::format("transition{}", number - 1);
      x = net.conv(name + ".conv", net.bn_relu(name + ".bn", x), net.channels(x) / 2, {}, 1, /*bias=*/false);
      x = net.average_pool(name + ".pool", x, Window::square(2, 2));
    }
    std::vector<NodeId> all = {x};
    for (int layer = 1; layer <= layers; ++layer) {
      const std::string name = fmt::format("block{}.layer{}", number, layer);
      NodeId y = net.conv_bn_relu(name + ".conv1", net.bn_relu(name + ".bn", x), 4 * kGrowth, {});
      y = net.conv(name + ".conv2", y, kGrowth, Window::square(3, 1, 1), 1, /*bias=*/false);
      all.push_back(y);
      x = net.concat(name + ".concat", all);
    }
  }
  net.classify(net.bn_relu("bn", x), classes);
}

/// GoogLeNet (Szegedy et al. 2015) with batch norms and without auxiliary classifiers.
void add_googlenet(StructureLayers& net, int classes) {
  NodeId x = net.conv_bn_relu("conv1", net.input(), 64, Window::square(7, 2, 3));
  x = net.max_pool("pool1", x, rounded_up(3, 1));
  x = net.conv_bn_relu("conv2", x, 64, Window::square(1));
  x = net.conv_bn_relu("conv3", x, 192, Window::square(3, 1, 1));
  x = net.max_pool("pool2", x, rounded_up(3, 1));
  x = add_inception(net, x, {"inception3a", 64, 96, 128, 16, 32, 32});
  x = add_inception(net, x, {"inception3b", 128, 128, 192, 32, 96, 64});
  x = net.max_pool("pool3", x, rounded_up(3, 1));
  x = add_inception(net, x, {"inception4a", 192, 96, 208, 16, 48, 64});
  x = add_inception(net, x, {"inception4b", 160, 112, 224, 24, 64, 64});
  x = add_inception(net, x, {"inception4c", 128, 128, 256, 24, 64, 64});
  x = add_inception(net, x, {"inception4d", 112, 144, 288, 32, 64, 64});
  x = add_inception(net, x, {"inception4e", 256, 160, 320, 32, 128, 128});
  x = net.max_pool("pool4", x, Window::square(2, 2));
  x = add_inception(net, x, {"inception5a", 256, 160, 320, 32, 128, 128});
  x = add_inception(net, x, {"inception5b", 384, 192, 384, 48, 128, 128});
  net.classify(x, classes);
}

/// SqueezeNet 1.1 (Iandola et al. 2016).
void add_squeezenet(StructureLayers& net, int classes) {
  NodeId x = net.relu("conv1_relu", net.conv("conv1", net.input(), 64, Window::square(3, 2)));
  x = net.max_pool("pool1", x, Window::square(3, 2));
  x = add_fire(net, 2, x, 16, 64);
  x = add_fire(net, 3, x, 16, 64);
  x = net.max_pool("pool3", x, Window::square(3, 2));
  x = add_fire(net, 4, x, 32, 128);
  x = add_fire(net, 5, x, 32, 128);
  x = net.max_pool("pool5", x, Window::square(3, 2));
  x = add_fire(net, 6, x, 48, 192);
  x = add_fire(net, 7, x, 48, 192);
  x = add_fire(net, 8, x, 64, 256);
  x = add_fire(net, 9, x, 64, 256);
  x = net.relu("conv10_relu", net.conv("conv10", x, classes));
  net.flatten("flatten", net.global_pool("pool10", x));
}

/// U-Net (Ronneberger et al. 2015) with batch norms, half the channels, and padding that keeps the map's
/// size, as in "brain-segmentation-pytorch" (Buda et al. 2019).
void add_unet(StructureLayers& net, int classes) {
  const int channels[] = {32, 64, 128, 256};
  NodeId x = net.input();
  std::vector<NodeId> skipped;
  for (int level = 0; level < 4; ++level) {
    skipped.push_back(add_two_convs(net, fmt::format("encoder{}", level + 1), x, channels[level]));
    x = net.max_pool(fmt::format("pool{}", level + 1), skipped.back(), Window::square(2, 2));
  }
  x = add_two_convs(net, "bottleneck", x, 512);
  for (int level = 3; level >= 0; --level) {
    const std::string name = fmt::format("decoder{}", level + 1);
    x = net.upsample(name + ".up", x, channels[level]);
    x = net.concat(name + ".concat", {x, skipped[level]});
    x = add_two_convs(net, name, x, channels[level]);
  }
  net.conv("map", x, classes);
}

}  // namespace concertina::bench
