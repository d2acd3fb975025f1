#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "kernels/chunk.h"

/// Convolution whose weights and inputs are rounded to bfloat16 (8 bits of mantissa) and whose products are
/// summed in fp32, on machines with instructions for that. Inputs and outputs stay fp32 in memory.
namespace concertina::kernels {

/// The units of this machine that can do it, best first: "AMX" (16 x 16 x 32 products an instruction),
/// "AVX-512 BF16" (16 x 2). Empty where there is none, where all are masked (masked_units.h), or where a
/// target without vectors of 512 bits is in use.
std::vector<std::string> bf16_units();

/// The first of them, or null. Takes microseconds: ask when kernels are chosen, not when they run.
const Bf16Unit* best_bf16_unit();

/// True for convolutions without groups, of at most kMaxChunkTaps taps.
bool can_run_bf16(const Filter& filter);

/// Whether the best unit pays for a layer at full width, of which fp32 would run Winograd's algorithm on
/// tiles of this side (0: it would not); else fp32 is as fast or faster. Precondition: there is a unit.
bool prefers_bf16(const Filter& filter, int winograd_side);

/// Floats of memory for the packed filter: two weights in each. Here and below, `window` gives the shape of
/// the kernel.
std::size_t packed_size_bf16(const Filter& filter, const WindowArgs& window);

/// Rounds `oihw` to nearest into panels of 16 output channels, each [taps][pairs of in_channels][16][2], so
/// that every sub-net reads prefixes. Where the filter has few input channels, a row of its taps is one run
/// of inputs, and [pairs] go over all of the row. packed: 64-byte aligned.
void pack_bf16(const Filter& filter, const WindowArgs& window, const float* oihw, float* packed);

/// Floats of scratch memory that each thread needs.
std::size_t workspace_bf16(const Filter& filter, const WindowArgs& window,
                           std::span<const ChannelRange> inputs);

/// What conv() computes, under its preconditions and can_run_bf16(), but for the rounding; args.packed comes
/// from pack_bf16(), args.bf16_unit is best_bf16_unit() and not null. workspace: 64-byte aligned,
/// workspace_bf16() floats for each thread of the pool. An input that is not finite may spread over its row.
void bf16_conv(const ConvArgs& args, float* workspace, ThreadPool& pool);

}  // namespace concertina::kernels
