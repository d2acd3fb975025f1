#pragma once

#include <array>
#include <string_view>

#include "quantization/histogram.h"

/// Which values of a tensor 8 bits hold. What lies outside is clipped; a wider range has coarser steps.
namespace concertina::quantization {

enum class Method { minmax, percentile, entropy };
inline constexpr std::array<std::string_view, 3> kMethods = {"minmax", "percentile", "entropy"};

struct RangeOptions {
  Method method = Method::percentile;
  double percentile = 99.99;  ///< of the values that stay, in percent, above 0 and up to 100
};

/// The values that are held, with 0 among them.
///   minmax      all
///   percentile  all but the outermost ones. Values of both signs lose as many at either end, others lose the
///               greatest only. Whole bins are cut off, so a few more may stay.
///   entropy     those up to entropy_threshold()
/// Precondition: the histogram is not empty.
Interval choose_range(const Histogram& histogram, const RangeOptions& options);

}  // namespace concertina::quantization
