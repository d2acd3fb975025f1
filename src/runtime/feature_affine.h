#pragma once

#include <vector>

#include "graph/network.h"
#include "runtime/program.h"

namespace concertina::runtime {

/// What is done to each feature: y = x * scale + shift.
struct FeatureAffine {
  std::vector<double> scale;
  std::vector<double> shift;
};

/// The bias of the convolution or linear layer `node` (kNone: no such layer) and then the batch norm `norm`
/// (kNone: none), for the active features of a sub-net, all segments together. `own` are the sub-net's own
/// arrays, at its widths.
FeatureAffine feature_affine(const Network& network, NodeId node, NodeId norm, const Subnet& subnet,
                             const Weights& own);

}  // namespace concertina::runtime
