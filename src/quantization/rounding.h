#pragma once

#include "graph/quantization.h"
#include "quantization/histogram.h"

namespace concertina::quantization {

/// What a tensor loses in 8 bits.
struct Rounding {
  double clipped = 0;  ///< the share of its values that do not fit into 0 .. 255, from 0 to 1
  /// The mean square of the values by that of the errors, in decibels; infinite if there are no errors.
  double signal_to_noise = 0;
};

/// As if the values of a bin were spread evenly over it. Precondition: the histogram is not empty.
Rounding rounding_of(const Histogram& histogram, const Quantization& how);

}  // namespace concertina::quantization
