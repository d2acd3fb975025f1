#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/pixel_layout.h"
#include "runtime/plan_source.h"

namespace concertina::runtime {

/// The layer of an operation if it can run in bands.
std::optional<BandLayer> band_layer(const PlanSource& source, const Operation& operation);

/// All operations of a program, in order. Layers of which each is read by the next one only become one pass
/// where that saves more bytes of maps than it reads of weights again. layouts: of every value in the
/// sub-net.
std::vector<Pass> choose_passes(const PlanSource& source, const std::vector<PixelLayout>& layouts);

/// What a pass over one image moves through memory, in bytes.
struct Traffic {
  std::int64_t maps = 0;     ///< inputs and output
  std::int64_t weights = 0;  ///< the same for the whole batch
};

/// How many of the first passes are better done image by image: their maps, which are large at the beginning
/// of a network, then stay in the caches between one pass and the next, for which their weights, which are
/// small there, are read again for each image. The other passes are done for the whole batch. The number is
/// the one that saves most bytes.
int per_image_passes(std::span<const Traffic> passes);

}  // namespace concertina::runtime
