#pragma once

#include "graph/ops/across_channels.h"
#include "graph/ops/activation.h"
#include "kernels/across_channels.h"
#include "kernels/elementwise.h"

namespace concertina::runtime {

/// What the kernels call an activation or a reduction. Those of kernels::FusedActivation are here, too.
kernels::PointwiseFunction pointwise(const op::Activation& op);

kernels::ChannelReduction channel_reduction(op::ChannelReduce::Kind kind);

}  // namespace concertina::runtime
