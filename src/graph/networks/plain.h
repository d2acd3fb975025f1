#pragma once

#include "graph/networks/networks.h"

namespace concertina::networks {

/// VGG11 (Simonyan and Zisserman 2015) with batch norms; on small inputs one linear layer classifies.
Result<Graph> vgg11(const NetworkSpec& spec);

/// AlexNet in its single-column form (Krizhevsky 2014); on small inputs a 3x3 stem of stride 1.
Result<Graph> alexnet(const NetworkSpec& spec);

/// MobileNetV1 (Howard et al. 2017); on small inputs the stem has stride 1.
Result<Graph> mobilenet_v1(const NetworkSpec& spec);

}  // namespace concertina::networks
