#pragma once

#include "graph/graph.h"

namespace concertina::testing {

/// Blocks that networks in use are made of, each with something odd: squeeze-and-excitation twice (the second
/// through vectors), an up-sampling decoder whose output is a map, grouped convolutions with and without a
/// multiplier, ShuffleNet V2 units, a dense block, attention over channels, pixels and all.
Graph squeeze_excite();
Graph unet();
Graph resnext();
Graph shufflenet();
Graph densenet();
Graph attention();

/// Every padding, constants for each channel, the functions that no convolution applies, dilated windows.
Graph pads();

/// Windows, paddings and strides that differ in rows and columns; constants for each feature of a vector.
Graph windows();

/// Means over dilated windows, which the operator set that we write does not have.
Graph dilated_means();

}  // namespace concertina::testing
