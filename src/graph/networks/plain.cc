#include "graph/networks/plain.h"

#include <fmt/format.h>

#include "graph/networks/layers.h"

namespace concertina::networks {
namespace {

bool small(const NetworkSpec& spec) {
  return spec.input.height <= 64;
}

/// The two hidden layers and the output of the classifiers of AlexNet and VGG.
void classify_wide(Layers& net, NodeId x, int hidden, int classes) {
  x = net.flatten("flatten", x);
  x = net.relu("fc1_relu", net.linear("fc1", x, net.scaled(hidden)));
  x = net.relu("fc2_relu", net.linear("fc2", x, net.scaled(hidden)));
  net.linear("fc", x, classes);
}

}  // namespace

Result<Graph> vgg11(const NetworkSpec& spec) {
  struct Stage {
    int channels;
    int convs;
  };
  Layers net(spec);
  NodeId x = net.input();
  int stage_number = 0;
  for (const auto [channels, convs] : {Stage{64, 1}, {128, 1}, {256, 2}, {512, 2}, {512, 2}}) {
    ++stage_number;
    for (int i = 1; i <= convs; ++i) {
      x = net.conv_bn_relu(fmt::format("stage{}.conv{}", stage_number, i), x, net.scaled(channels),
                           Window::square(3, 1, 1));
    }
    x = net.max_pool(fmt::format("stage{}.pool", stage_number), x, Window::square(2, 2));
  }
  if (small(spec)) {
    net.linear("fc", net.flatten("flatten", x), spec.classes);
  } else {
    classify_wide(net, x, 4096, spec.classes);
  }
  return std::move(net).build();
}

Result<Graph> alexnet(const NetworkSpec& spec) {
  Layers net(spec);
  const Window pool = small(spec) ? Window::square(2, 2) : Window::square(3, 2);
  const auto conv = [&](const char* name, NodeId x, int channels, Window window) {
    return net.relu(std::string(name) + "_relu", net.conv(name, x, net.scaled(channels), window, 1, true));
  };
  NodeId x = conv("conv1", net.input(), 64, small(spec) ? Window::square(3, 1, 1) : Window::square(11, 4, 2));
  x = net.max_pool("pool1", x, pool);
  x = conv("conv2", x, 192, Window::square(small(spec) ? 3 : 5, 1, small(spec) ? 1 : 2));
  x = net.max_pool("pool2", x, pool);
  x = conv("conv3", x, 384, Window::square(3, 1, 1));
  x = conv("conv4", x, 256, Window::square(3, 1, 1));
  x = conv("conv5", x, 256, Window::square(3, 1, 1));
  x = net.max_pool("pool5", x, pool);
  classify_wide(net, x, small(spec) ? 1024 : 4096, spec.classes);
  return std::move(net).build();
}

Result<Graph> mobilenet_v1(const NetworkSpec& spec) {
  struct Block {
    int channels;
    int stride;
  };
  Layers net(spec);
  int channels = net.scaled(32);
  NodeId x = net.conv_bn_relu("stem", net.input(), channels, Window::square(3, small(spec) ? 1 : 2, 1));
  int number = 0;
  for (const auto [out, stride] : {Block{64, 1},
                                   {128, 2},
                                   {128, 1},
                                   {256, 2},
                                   {256, 1},
                                   {512, 2},
                                   {512, 1},
                                   {512, 1},
                                   {512, 1},
                                   {512, 1},
                                   {512, 1},
                                   {1024, 2},
                                   {1024, 1}}) {
    const std::string name = fmt::format("block{}", ++number);
    x = net.conv_bn_relu(name + ".depthwise", x, channels, Window::square(3, stride, 1), channels);
    channels = net.scaled(out);
    x = net.conv_bn_relu(name + ".pointwise", x, channels, Window::square(1));
  }
  net.classify(x, spec.classes);
  return std::move(net).build();
}

}  // namespace concertina::networks
