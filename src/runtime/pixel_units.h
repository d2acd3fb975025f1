#pragma once

#include <vector>

#include "runtime/pixel_layout.h"
#include "runtime/plan_source.h"

namespace concertina::runtime {

/// The layout of every value in the sub-net. Segments of a pixel are padded to a vector, as all kernels take
/// it, or to kernels::kPlanarBlock if only planar_conv() reads and writes the value, whose time is that of
/// its memory. An input of the network that all readers take in planes is plain.
std::vector<PixelLayout> pixel_layouts(const PlanSource& source, const Subnet& subnet);

}  // namespace concertina::runtime
