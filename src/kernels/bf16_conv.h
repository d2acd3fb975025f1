#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "concertina/result.h"
#include "kernels/conv.h"

/// Convolution whose weights and inputs are rounded to bfloat16 (8 bits of mantissa) and whose products are
/// summed in fp32, on machines with instructions for that. Inputs and outputs stay fp32 in memory.
namespace concertina::kernels {

/// The units of this machine that can do it, best first: "AMX" (16 x 16 x 32 products an instruction),
/// "AVX-512 BF16" (16 x 2). Empty where there is none, or where a target without vectors of 512 bits is in
/// use.
std::vector<std::string> bf16_units();

/// Uses the named unit from now on; an empty name goes back to the best one. For tests and benchmarks, like
/// limit_target().
Status limit_bf16_unit(std::string_view name);

/// True for convolutions without groups, of at most kMaxBf16Taps taps.
bool bf16_can(const Filter& filter);
inline constexpr int kMaxBf16Taps = 256;

/// Floats of memory for the packed filter: two weights in each. Here and below, `window` gives the shape of
/// the kernel.
std::size_t bf16_packed_size(const Filter& filter, const WindowArgs& window);

/// Rounds `oihw` to nearest into panels of 16 output channels, each [taps][pairs of in_channels][16][2], so
/// that every sub-net reads prefixes. Where the filter has few input channels, a row of its taps is one run
/// of inputs, and [pairs] go over all of the row. packed: 64-byte aligned.
void pack_bf16(const Filter& filter, const WindowArgs& window, const float* oihw, float* packed);

/// Floats of scratch memory that each thread needs.
std::size_t bf16_workspace(const Filter& filter, const WindowArgs& window,
                           std::span<const ChannelRange> inputs);

/// What conv() computes, under its preconditions and bf16_can(), but for the rounding; args.packed comes from
/// pack_bf16(). workspace: 64-byte aligned, bf16_workspace() floats for each thread of the pool. An input
/// that is not finite may spread over its row. Precondition: bf16_units() is not empty.
void bf16_conv(const ConvArgs& args, float* workspace, ThreadPool& pool);

}  // namespace concertina::kernels
