#pragma once

#include <span>
#include <vector>

#include "graph/network.h"
#include "runtime/program.h"

namespace concertina::runtime {

/// What is done to each feature: y = x * scale + shift.
struct FeatureAffine {
  std::vector<double> scale;
  std::vector<double> shift;
};

/// What the nodes do one after the other, for the active features of a sub-net, all segments together: the
/// bias of a convolution or linear layer, a batch norm, a scale, a shift. `own` are the sub-net's own arrays,
/// at its widths. Precondition: there is at least one node.
FeatureAffine feature_affine(const Network& network, std::span<const NodeId> nodes, const Subnet& subnet,
                             const Weights& own);

}  // namespace concertina::runtime
