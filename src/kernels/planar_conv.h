#pragma once

#include "base/thread_pool.h"
#include "kernels/conv_types.h"

/// Direct convolution whose vectors hold pixels and not channels: where few output channels are left, all
/// lanes still work.
namespace concertina::kernels {

/// True for convolutions without groups, of at most kMaxPlanarTaps taps.
bool can_run_planar(const Filter& filter);
inline constexpr int kMaxPlanarTaps = 64;

/// Output channels of a call.
inline constexpr int kMaxPlanarOutputs = 64;

/// True where it is faster than conv() on the machines that we have, for so many active channels.
bool prefers_planar(const WindowArgs& window, int out_channels);

/// Floats of scratch memory that each thread needs for the active input channels that `inputs` hold.
std::size_t workspace_planar(const WindowArgs& window, std::span<const ChannelRange> inputs);

/// Channels that it reads and writes together: where conv() wants whole vectors in a pixel, blocks of so many
/// will do.
inline constexpr int kPlanarBlock = 4;

/// What conv() computes, under its preconditions and can_run_planar(), for at most kMaxPlanarOutputs output
/// channels, and of plain inputs under every window; args.packed comes from pack_conv(). workspace: 64-byte
/// aligned, workspace_planar() floats for each thread of the pool.
void planar_conv(const ConvArgs& args, float* workspace, ThreadPool& pool);

}  // namespace concertina::kernels
