#include "graph/networks/networks.h"

#include <fmt/format.h>

#include "base/text.h"
#include "graph/networks/layers.h"

namespace concertina {
namespace {

using networks::Layers;

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

NodeId basic_block(Layers& net, const std::string& name, NodeId x, int channels, int stride, bool project) {
  NodeId y = net.conv_bn_relu(name + ".conv1", x, channels, Window::square(3, stride, 1));
  y = net.conv_bn(name + ".conv2", y, channels, Window::square(3, 1, 1));
  if (project) x = net.conv_bn(name + ".shortcut", x, channels, Window::square(1, stride));
  return net.relu(name + ".relu", net.add(name + ".add", op::Add{}, {y, x}));
}

NodeId stem(Layers& net, const NetworkSpec& spec, int channels) {
  if (small(spec)) return net.conv_bn_relu("stem", net.input(), channels, Window::square(3, 1, 1));
  const NodeId x = net.conv_bn_relu("stem", net.input(), channels, Window::square(7, 2, 3));
  return net.max_pool("stem_pool", x, Window::square(3, 2, 1));
}

/// ResNet of basic blocks (He et al. 2016). `blocks` per stage; the first stage has `channels` channels and
/// each further one twice as many at half the resolution.
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

/// VGG11 (Simonyan and Zisserman 2015) with batch norms; on small inputs one linear layer classifies.
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

/// AlexNet in its single-column form (Krizhevsky 2014); on small inputs a 3x3 stem of stride 1.
Result<Graph> alexnet(const NetworkSpec& spec) {
  Layers net(spec);
  const Window pool = small(spec) ? Window::square(2, 2) : Window::square(3, 2);
  const auto conv = [&](const char* name, NodeId x, int channels, Window window) {
    return net.relu(std::string(name) + "_relu", net.conv(name, x, net.scaled(channels), window));
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

/// MobileNetV1 (Howard et al. 2017); on small inputs the stem has stride 1.
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

/// The depth of "resnet20", or 0 if `name` is no such name.
int resnet_depth(std::string_view name) {
  constexpr std::string_view kPrefix = "resnet";
  if (!name.starts_with(kPrefix)) return 0;
  const int depth = parse_number<int>(name.substr(kPrefix.size())).value_or(0);
  return depth <= 2000 ? depth : 0;
}

}  // namespace

std::string known_networks() {
  return "resnet8, resnet14, resnet20, ... (6n+2), resnet18, vgg11, alexnet, mobilenet_v1";
}

Result<Graph> make_network(const NetworkSpec& spec) {
  if (!(spec.width > 0 && spec.width <= 64)) {
    return Error{fmt::format("network width {} is not in (0, 64]", spec.width)};
  }
  if (spec.classes < 2)
    return Error{fmt::format("{} classes cannot be told apart; at least 2 are needed", spec.classes)};
  if (spec.name == "resnet18") return resnet(spec, {2, 2, 2, 2}, 64);
  if (spec.name == "vgg11") return vgg11(spec);
  if (spec.name == "alexnet") return alexnet(spec);
  if (spec.name == "mobilenet_v1") return mobilenet_v1(spec);
  const int depth = resnet_depth(spec.name);
  if (depth >= 8 && depth % 6 == 2) return resnet(spec, std::vector<int>(3, (depth - 2) / 6), 16);
  return Error{
      fmt::format("there is no built-in network '{}'; choose one of: {}", spec.name, known_networks())};
}

}  // namespace concertina
