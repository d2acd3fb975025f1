#pragma once

#include "graph/ops/across_channels.h"
#include "graph/ops/activation.h"
#include "kernels/across_channels.h"
#include "kernels/elementwise.h"

namespace concertina::runtime {

/// An activation as the kernels know it. Those of kernels::FusedActivation are here, too.
kernels::PointwiseFunction pointwise(const op::Activation& op);

/// A reduction as the kernels know it.
kernels::ChannelReduction channel_reduction(op::ChannelReduce::Kind kind);

}  // namespace concertina::runtime
