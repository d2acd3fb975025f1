#pragma once

#include <cstddef>

/// The layout of activations in every kernel here: fp32, [n][h][w][pixel stride]. A pixel's channels are one
/// or more segments; each starts at a multiple of vector_lanes() floats and is padded to one, so the pixel
/// stride is a multiple of it too. Buffers are 64-byte aligned. Padding lanes hold anything, NaN included:
/// kernels may read and write them but never let them reach a real channel. Kernels do not allocate, and
/// their results do not depend on the number of threads.
namespace concertina::kernels {

/// The instruction set in use ("AVX3", "AVX2", ...): the best one that this machine has.
const char* target_name();

/// Floats in one vector of it: the unit of the layout.
int vector_lanes();

/// Floats to allocate for a per-channel array (scale, shift) of `channels` channels.
int epilogue_size(int channels);

/// Floats of what pack_panels() writes.
std::size_t panels_size(int out_channels, int in_channels, int taps, int panel);

/// Filters [out_channels][in_channels][taps] -> panels of `panel` output channels, each
/// [taps][in_channels][panel]: a sub-net reads a prefix of the panels and of the rows in each. The channels
/// missing in the last panel become zero. Returns the end of what was written.
float* pack_panels(const float* filters, int out_channels, int in_channels, int taps, int panel, float* to);

}  // namespace concertina::kernels
