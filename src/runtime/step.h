#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "kernels/across_channels.h"
#include "kernels/elementwise.h"
#include "kernels/move.h"
#include "kernels/normalize.h"
#include "kernels/pool.h"
#include "kernels/resample.h"
#include "runtime/banded_step.h"
#include "runtime/row_step.h"
#include "runtime/transposed.h"

/// What a session executes: calls of kernels, complete but for the batch and the addresses in its memory.
namespace concertina::runtime {

using ActivateStep = KernelStep<kernels::ActivateArgs, kernels::activate>;
using AffineStep = KernelStep<kernels::AffineArgs, kernels::affine>;
using ReduceChannelsStep = KernelStep<kernels::ReduceChannelsArgs, kernels::reduce_channels>;
using LocalResponseStep = KernelStep<kernels::LocalResponseArgs, kernels::local_response_norm>;
using NormalizeStep = KernelStep<kernels::NormalizeArgs, kernels::normalize>;
using SoftmaxStep = KernelStep<kernels::SoftmaxArgs, kernels::softmax>;
using CopyStep = KernelStep<kernels::CopyArgs, kernels::copy_channels>;
using GlobalPoolStep = KernelStep<kernels::GlobalPoolArgs, kernels::global_average_pool>;
using PickStep = ResampleStep<kernels::PickArgs, kernels::pick_pixels, int>;
using BlendStep = ResampleStep<kernels::BlendArgs, kernels::blend_pixels, kernels::LinearTap>;

struct AveragePoolStep {
  kernels::PoolArgs args;
  kernels::AveragePadding padding;
  Location input = {};
  Location output = {};
  void run(const Frame& frame) const;
};

struct GatherStep {
  kernels::GatherArgs args;
  std::vector<std::int32_t> sources;
  Location input = {};
  Location output = {};
  void run(const Frame& frame) const;
};

struct FlattenStep {
  kernels::FlattenArgs args;
  std::vector<kernels::FlattenSegment> segments = {};
  Location input = {};
  Location output = {};
  void run(const Frame& frame) const;
};

/// The strides of b are in args.
struct CombineStep {
  kernels::CombineArgs args;
  Location a;
  Location b;
  Location output;
  void run(const Frame& frame) const;
};

/// The images are scaled down to the sub-net's resolution, unless they are so already.
struct ScaleStep {
  int channels = 0;
  kernels::ScaledLine rows, columns;
  std::size_t workspace() const;
  void run(const Frame& frame) const;

 private:
  kernels::ScaleArgs args() const { return {.planes = channels, .rows = rows, .columns = columns}; }
};

/// A segment of an output goes to the caller.
struct StoreStep {
  kernels::ToPlainArgs args;
  Location input;
  std::ptrdiff_t begin = 0;  ///< floats before the output among the logits, for each image of the batch
  std::ptrdiff_t plane = 0;  ///< floats before the segment in an image's output
  void run(const Frame& frame) const;
};

using Step = std::variant<ScaleStep, LoadStep, ConvStep, MaxPoolStep, AveragePoolStep, GlobalPoolStep,
                          ActivateStep, AffineStep, NormalizeStep, ReduceChannelsStep, LocalResponseStep,
                          SoftmaxStep, CombineStep, CopyStep, GatherStep, PickStep, BlendStep, FlattenStep,
                          StoreStep, BandedStep, TransposedStep>;

void run(const Step& step, const Frame& frame);

/// Multiply-accumulates for one image; those of convolutions and linear layers count. None of a banded step.
std::int64_t macs_of(const Step& step);

}  // namespace concertina::runtime
