#pragma once

#include <cstdint>
#include <span>

namespace concertina::cascade {

/// How well confidence tells right answers from wrong ones: the probability that a right one has more of it
/// (the area under the receiver operating characteristic, ties counted half). 0.5 tells nothing, 1 all; 0.5
/// if there are no right or no wrong ones. Precondition: equally long.
double separation(std::span<const double> confidences, std::span<const std::uint8_t> correct);

}  // namespace concertina::cascade
