#pragma once

#include <cstddef>

#include "base/thread_pool.h"
#include "kernels/conv_types.h"

/// Convolution in small groups, each with as many outputs as inputs, several of them in one vector: the
/// channels of a vector see those of the same vector of inputs. conv() would fill a part of a vector for each
/// group.
namespace concertina::kernels {

/// True for groups of which at least two fill one vector exactly, and of at most kMaxDepthwiseTaps taps.
bool can_run_grouped(const Filter& filter);

/// Floats of the packed filter.
std::size_t packed_size_grouped(const Filter& filter);

/// Reorders `oihw` into vectors of output channels, each [taps][in_channels][lanes], so that a sub-net's
/// first groups are a prefix. packed: 64-byte aligned.
void pack_grouped(const Filter& filter, const float* oihw, float* packed);

/// What conv() computes, under its preconditions and can_run_grouped(); args.packed comes from
/// pack_grouped(). Channels are computed up to the next multiple of vector_lanes().
void grouped_conv(const ConvArgs& args, ThreadPool& pool);

}  // namespace concertina::kernels
