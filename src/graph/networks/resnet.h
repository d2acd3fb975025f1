#pragma once

#include "graph/networks/networks.h"

namespace concertina::networks {

/// ResNet of basic blocks (He et al. 2016). `blocks` per stage; the first stage has `channels` channels and
/// each further one twice as many at half the resolution.
Result<Graph> resnet(const NetworkSpec& spec, const std::vector<int>& blocks, int channels);

}  // namespace concertina::networks
