#pragma once

#include "kernels/conv.h"

/// 3x3 convolution by Winograd's F(4x4, 3x3) (Lavin and Gray, 2016): a quarter of the multiplications for
/// four times the weights. Rounding errors are larger than those of conv(); the tests state how large.
namespace concertina::kernels {

/// True for 3x3 windows with neither stride, dilation nor groups.
bool winograd_can(const Filter& filter, const Window& window);

/// True where it is faster than conv() on the machines that we have.
bool prefers_winograd(const Filter& filter, const Window& window);

/// True where that holds for so many active channels, too: of few, the transforms cost more than they save.
bool winograd_pays(int in_channels, int out_channels);

/// Floats of the transformed filter.
std::size_t winograd_packed_size(const Filter& filter);

/// Transforms `oihw` into panels of 2 * vector_lanes() output channels, each [36][in_channels][2 * lanes]: as
/// in pack_conv(), every sub-net reads prefixes. packed: 64-byte aligned.
void pack_winograd(const Filter& filter, const float* oihw, float* packed);

/// Floats of scratch memory that each thread needs for the active input channels that `inputs` hold.
std::size_t winograd_workspace(std::span<const ChannelRange> inputs);

/// What conv() computes, under its preconditions and winograd_can(); args.packed comes from pack_winograd().
/// workspace: 64-byte aligned, winograd_workspace() floats for each thread of the pool.
void winograd_conv(const ConvArgs& args, float* workspace, ThreadPool& pool);

}  // namespace concertina::kernels
