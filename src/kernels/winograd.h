#pragma once

#include "base/thread_pool.h"
#include "kernels/conv_types.h"

/// 3x3 convolution by Winograd's F(side x side, 3x3) (Lavin and Gray, 2016). With side 4 it is a quarter of
/// the multiplications for four times the weights, with side 2 they are 1 / 2.25 and 1.78. Rounding errors
/// are larger than those of conv(); the tests state how large.
namespace concertina::kernels {

/// True for 3x3 windows with neither stride, dilation nor groups.
bool can_run_winograd(const Filter& filter, const WindowArgs& window);

/// The side that is fastest on the machines that we have, or 0 where conv() is faster.
int preferred_side_winograd(const Filter& filter, const WindowArgs& window);

/// True where that holds for so many active channels, too: of few, the transforms cost more than they save.
bool prefers_winograd(int in_channels, int out_channels);

/// Floats of the transformed filter.
std::size_t packed_size_winograd(const Filter& filter, int side);

/// Transforms `oihw` into panels of 2 * vector_lanes() output channels, each
/// [(side + 2)^2][in_channels][2 * lanes]: as in pack_conv(), every sub-net reads prefixes. packed: 64-byte
/// aligned.
void pack_winograd(const Filter& filter, int side, const float* oihw, float* packed);

/// Floats of scratch memory that each thread needs for the active input channels that `inputs` hold.
std::size_t workspace_winograd(int side, std::span<const ChannelRange> inputs);

/// What conv() computes, under its preconditions and can_run_winograd(); args.packed comes from
/// pack_winograd(). workspace: 64-byte aligned, workspace_winograd() floats for each thread of the pool.
void winograd_conv(const ConvArgs& args, int side, float* workspace, ThreadPool& pool);

}  // namespace concertina::kernels
