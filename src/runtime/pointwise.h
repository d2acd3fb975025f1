#pragma once

#include "graph/ops/activation.h"
#include "kernels/elementwise.h"

namespace concertina::runtime {

/// An activation as the kernels know it. Those of kernels::FusedActivation are here, too.
kernels::PointwiseFunction pointwise(const op::Activation& op);

}  // namespace concertina::runtime
