#include "graph/networks/resnet.h"

#include <fmt/format.h>

#include "graph/networks/layers.h"

namespace concertina::networks {
namespace {

NodeId basic_block(Layers& net, const std::string& name, NodeId x, int channels, int stride, bool project) {
  NodeId y = net.conv_bn_relu(name + ".conv1", x, channels, Window::square(3, stride, 1));
  y = net.conv_bn(name + ".conv2", y, channels, Window::square(3, 1, 1));
  if (project) x = net.conv_bn(name + ".shortcut", x, channels, Window::square(1, stride));
  return net.relu(name + ".relu", net.add(name + ".add", op::Add{}, {y, x}));
}

NodeId stem(Layers& net, const NetworkSpec& spec, int channels) {
  if (spec.input.height <= 64)
    return net.conv_bn_relu("stem", net.input(), channels, Window::square(3, 1, 1));
  const NodeId x = net.conv_bn_relu("stem", net.input(), channels, Window::square(7, 2, 3));
  return net.max_pool("stem_pool", x, Window::square(3, 2, 1));
}

}  // namespace

Result<Graph> resnet(const NetworkSpec& spec, const std::vector<int>& blocks, int channels) {
  Layers net(spec);
  NodeId x = stem(net, spec, net.scaled(channels));
  for (std::size_t stage = 0; stage < blocks.size(); ++stage) {
    for (int block = 0; block < blocks[stage]; ++block) {
      const bool downsamples = stage > 0 && block == 0;
      x = basic_block(net, fmt::format("stage{}.block{}", stage + 1, block + 1), x,
                      net.scaled(channels << stage), downsamples ? 2 : 1, downsamples || spec.decoupled);
    }
  }
  net.classify(x, spec.classes);
  return std::move(net).build();
}

}  // namespace concertina::networks
