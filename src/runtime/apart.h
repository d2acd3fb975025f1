#pragma once

#include <cstdint>
#include <span>

namespace concertina::runtime {

/// What a step of one image moves through memory, in bytes.
struct Traffic {
  std::int64_t maps = 0;     ///< inputs and output
  std::int64_t weights = 0;  ///< the same for the whole batch
};

/// So many of the first steps are better done image by image: their maps, which are large at the beginning of
/// a network, then stay in the caches between one step and the next, for which their weights, which are small
/// there, are read again for each image. The other steps are done for the whole batch. Most bytes are saved.
int steps_apart(std::span<const Traffic> steps);

}  // namespace concertina::runtime
