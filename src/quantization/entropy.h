#pragma once

#include "quantization/histogram.h"

namespace concertina::quantization {

/// The magnitude above which values are clipped so that those in 8 bits tell the most of the others: the
/// least Kullback-Leibler divergence of the two distributions of magnitudes, as in TensorRT (Migacz, "8-bit
/// inference with TensorRT", 2017). A tensor without negative values has 256 levels, another one 128 on
/// either side. The first bin counts no more than the second one, because a ReLU makes zeros without end.
/// Precondition: the histogram is not empty.
float entropy_threshold(const Histogram& histogram);

}  // namespace concertina::quantization
