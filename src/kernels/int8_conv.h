#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "kernels/chunk.h"

/// Convolution of 8-bit inputs with 8-bit weights; one unit takes inputs of 7 bits. The sums have 32 bits and
/// are exact, so all units that take as many bits give the same ones. Inputs and outputs stay fp32 in memory:
/// the inputs are quantised on the way, and the epilogue is computed in fp32.
namespace concertina::kernels {

/// The units of this machine that are not masked (masked_units.h), best first: "AVX-512 VNNI", "AVX-VNNI",
/// "AVX2", and "plain", which every machine has and which is never masked.
std::vector<std::string> int8_units();

/// The first of them. Takes microseconds: ask when kernels are chosen, not when they run.
const Int8Unit* best_int8_unit();

/// True for convolutions without groups whose sums fit 32 bits, of at most kMaxChunkTaps taps.
bool can_run_int8(const Filter& filter);

/// Whether the best unit pays for a layer at full width, of which fp32 would run Winograd's algorithm on
/// tiles of this side (0: it would not); else fp32 is as fast or faster.
bool prefers_int8(const Filter& filter, int winograd_side);

/// How the unit holds inputs that are calibrated for 0 .. 255. A unit that takes at most 127 has steps of
/// about twice the size over the same range. Without starts.
Int8Input int8_input(const Int8Unit& unit, float scale, int zero_point);

/// Floats of memory for the packed filter: a scale for each output channel, and four weights in each of the
/// others.
std::size_t packed_size_int8(const Filter& filter);

/// Quantises `oihw`: each output channel w as round(w / scale), where its scale is its largest magnitude /
/// 127. Panels are [taps][quads of in_channels][16][4], so that every sub-net reads prefixes. packed: 64-byte
/// aligned.
void pack_int8(const Filter& filter, const float* oihw, float* packed);

/// How many sums int8_starts() writes.
constexpr int int8_starts_size(int out_channels) {
  return round_up(out_channels, 2 * kChunkPanel);
}

/// What the sums of the first out_channels begin with, so that a zero point of the inputs cancels out: minus
/// the zero point, times the sum of the channel's weights under all taps of the active inputs.
void int8_starts(const Filter& filter, const float* packed, std::span<const ChannelRange> inputs,
                 int out_channels, int zero_point, std::int32_t* starts);

/// Floats of scratch memory that each thread needs.
std::size_t workspace_int8(const WindowArgs& window, std::span<const ChannelRange> inputs);

/// What conv() computes, under its preconditions and can_run_int8(), of inputs and weights as they are
/// quantised: x as round(x * (1 / scale)) + zero_point; a NaN counts as the lowest input. args.packed comes
/// from pack_int8(), args.int8 is set. workspace: 64-byte aligned, workspace_int8() floats for each thread of
/// the pool.
void int8_conv(const ConvArgs& args, float* workspace, ThreadPool& pool);

}  // namespace concertina::kernels
