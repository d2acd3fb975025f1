#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace concertina {

/// What to build.
struct NetworkSpec {
  std::string name;  ///< "resnet20", "resnet18", "vgg11", "alexnet", "mobilenet_v1"
  Shape input;       ///< 32x32 and smaller maps get the small stem, larger ones that of ImageNet
  int classes = 10;
  double width = 1.0;      ///< multiplies every layer's channels
  bool decoupled = false;  ///< ResNets: a 1x1 convolution on every shortcut, so that no streams are coupled
};

/// Builds a network by name. CIFAR ResNets are resnetN with N = 6n + 2 (He et al. 2016, projection
/// shortcuts). Fails if the name is unknown (listing those that are) or the input does not suit it.
Result<Graph> make_network(const NetworkSpec& spec);

/// Names that make_network() knows, for messages and help.
std::string known_networks();

}  // namespace concertina
