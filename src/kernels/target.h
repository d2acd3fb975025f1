#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "concertina/result.h"

namespace concertina::kernels {

/// The activation layout of every kernel here: fp32, [n][h][w][pixel stride]. A pixel's channels are one or
/// more segments; each starts at a multiple of vector_lanes() floats and is padded to one, so the pixel
/// stride is a multiple of it too. Buffers are 64-byte aligned. Padding lanes hold anything, NaN included:
/// kernels may read and write them but never let them reach a real channel. Kernels do not allocate, and
/// their results do not depend on the number of threads.

/// Floats in one vector of the instruction set in use: the unit of the layout.
int vector_lanes();

/// Floats to allocate for a per-channel array (scale, shift) of `channels` channels.
int epilogue_size(int channels);

/// The instruction set in use ("AVX3", "AVX2", ...): the best one that this machine has, unless limited.
const char* target_name();

/// Names of all instruction sets that are compiled in and that this machine has, best first.
std::vector<std::string> target_names();

/// Uses the named instruction set from now on; an empty name goes back to the best one. For tests and
/// benchmarks: it is process-wide and changes vector_lanes(), so call it before anything is packed and while
/// no kernel runs.
Status limit_target(std::string_view name);

}  // namespace concertina::kernels
