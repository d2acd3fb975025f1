#pragma once

#include <vector>

#include "runtime/pixel_layout.h"
#include "runtime/plan.h"

namespace concertina::runtime {

/// For every value the floats to which a sub-net pads the segments of its pixel: a vector, as all kernels
/// take it, or kernels::kPlanarBlock if only planar_conv() reads and writes it, whose time is that of its
/// memory. layouts: of the sub-net's values in whole vectors.
std::vector<int> pixel_units(const PlanSource& source, const std::vector<PixelLayout>& layouts);

/// The inputs of the network that all readers take in planes, as they come.
std::vector<bool> plain_values(const PlanSource& source, const std::vector<PixelLayout>& layouts);

}  // namespace concertina::runtime
