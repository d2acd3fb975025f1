#pragma once

#include <vector>

#include "runtime/pixel_layout.h"
#include "runtime/plan.h"

namespace concertina::runtime {

/// The layer of a step if it can run in bands.
std::optional<BandLayer> band_layer(const PlanSource& source, const Operation& step);

/// All steps of a program, in order. Runs of layers of which each is read by the next one only become one
/// pass where that saves more bytes of maps than it reads of weights again. layouts: of every value in the
/// sub-net.
std::vector<Pass> choose_passes(const PlanSource& source, const std::vector<PixelLayout>& layouts);

}  // namespace concertina::runtime
