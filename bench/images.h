#pragma once

#include <cstdint>
#include <span>

namespace concertina::bench {

/// Values from an endless sequence in [-2, 2), the same in each call; `first` is the place of the first one.
void fill(std::span<float> images, std::uint64_t first = 0);

/// The largest difference of two values in the same place, as a share of the largest magnitude of `wanted`.
/// NaN if a value is. Precondition: they have the same size.
double largest_difference(std::span<const float> got, std::span<const float> wanted);

}  // namespace concertina::bench
