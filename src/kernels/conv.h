#pragma once

#include <cstddef>

#include "base/thread_pool.h"
#include "kernels/conv_types.h"

/// Direct convolution over packed weights (layout.h).
namespace concertina::kernels {

/// Floats of the packed filter.
std::size_t packed_size_conv(const Filter& filter);

/// Reorders `oihw` into panels of 2 * vector_lanes() output channels, each [taps][in_channels][2 * lanes], so
/// that every sub-net reads a prefix of the panels and of the rows in each. packed: 64-byte aligned,
/// packed_size_conv() floats; the channels missing in the last panel become zero.
void pack_conv(const Filter& filter, const float* oihw, float* packed);

void conv(const ConvArgs& args, ThreadPool& pool);

/// Whether conv() takes plain inputs under such a window.
bool conv_reads_planes(const WindowArgs& window);

}  // namespace concertina::kernels
