#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "kernels/activate.h"
#include "kernels/conv.h"
#include "kernels/depthwise.h"
#include "kernels/elementwise.h"
#include "kernels/layout.h"
#include "kernels/pool.h"
#include "kernels/resample.h"

/// What a session executes: calls of kernels, complete but for the batch and the addresses in its memory.
namespace concertina::runtime {

/// What a run brings.
struct Frame {
  int batch = 1;
  const float* images = nullptr;
  float* logits = nullptr;
  float* arena = nullptr;
  float* workspace = nullptr;
  ThreadPool& pool;
};

/// Where a map, or a segment of it, lies.
struct Place {
  std::ptrdiff_t buffer = 0;   ///< floats before it in the arena, for each image of the batch
  std::ptrdiff_t channel = 0;  ///< floats before it in the pixel
  std::ptrdiff_t stride = 0;   ///< floats from pixel to pixel

  float* in(const Frame& frame) const { return frame.arena + buffer * frame.batch + channel; }
};

/// A segment of an input comes into the arena.
struct LoadStep {
  kernels::FromPlainArgs args;
  std::ptrdiff_t begin = 0;  ///< floats before the input among the images, for each image of the batch
  std::ptrdiff_t plane = 0;  ///< floats before the segment in an image
  Place output;
  void run(const Frame& frame) const;
};

struct ConvStep {
  kernels::ConvArgs args;
  std::vector<kernels::ChannelRange> ranges;
  Place input;
  Place output;
  std::optional<Place> residual;
  void run(const Frame& frame) const;
};

/// args.packed comes from pack_grouped().
struct GroupedStep {
  ConvStep conv;
  void run(const Frame& frame) const;
};

/// args.packed is a transformed filter.
struct WinogradStep {
  ConvStep conv;
  int side = 4;  ///< of a tile
  void run(const Frame& frame) const;
};

/// args.packed comes from pack_conv().
struct PlanarStep {
  ConvStep conv;
  void run(const Frame& frame) const;
};

/// args.packed is a filter of bfloat16.
struct Bf16Step {
  ConvStep conv;
  void run(const Frame& frame) const;
};

struct DepthwiseStep {
  kernels::DepthwiseArgs args;
  Place input;
  Place output;
  std::optional<Place> residual;
  void run(const Frame& frame) const;
};

/// The strides of b are in args.
struct CombineStep {
  kernels::CombineArgs args;
  Place a;
  Place b;
  Place output;
  void run(const Frame& frame) const;
};

/// In this and the next four, args.pixels are those of one image.
struct ActivateStep {
  kernels::ActivateArgs args;
  Place input;
  Place output;
  void run(const Frame& frame) const;
};

struct AffineStep {
  kernels::AffineArgs args;
  Place input;
  Place output;
  void run(const Frame& frame) const;
};

struct SoftmaxStep {
  kernels::SoftmaxArgs args;
  Place input;
  Place output;
  void run(const Frame& frame) const;
};

struct CopyStep {
  kernels::CopyArgs args;
  Place input;
  Place output;
  void run(const Frame& frame) const;
};

struct GatherStep {
  kernels::GatherArgs args;
  std::vector<std::int32_t> sources;
  Place input;
  Place output;
  void run(const Frame& frame) const;
};

struct PickStep {
  kernels::PickArgs args;
  std::vector<int> rows;
  std::vector<int> columns;
  Place input;
  Place output;
  void run(const Frame& frame) const;
};

struct BlendStep {
  kernels::BlendArgs args;
  std::vector<kernels::LinearTap> rows;
  std::vector<kernels::LinearTap> columns;
  Place input;
  Place output;
  void run(const Frame& frame) const;
};

struct MaxPoolStep {
  kernels::PoolArgs args;
  Place input;
  Place output;
  void run(const Frame& frame) const;
};

struct AveragePoolStep {
  kernels::PoolArgs args;
  kernels::AveragePadding padding;
  Place input;
  Place output;
  void run(const Frame& frame) const;
};

struct GlobalPoolStep {
  kernels::GlobalPoolArgs args;
  Place input;
  Place output;
  void run(const Frame& frame) const;
};

struct FlattenStep {
  kernels::FlattenArgs args;
  std::vector<kernels::FlattenSegment> segments;
  Place input;
  Place output;
  void run(const Frame& frame) const;
};

/// A segment of an output goes to the caller.
struct StoreStep {
  kernels::ToPlainArgs args;
  Place input;
  std::ptrdiff_t begin = 0;  ///< floats before the output among the logits, for each image of the batch
  std::ptrdiff_t plane = 0;  ///< floats before the segment in an image's output
  void run(const Frame& frame) const;
};

using Step = std::variant<LoadStep, ConvStep, GroupedStep, WinogradStep, PlanarStep, Bf16Step, DepthwiseStep,
                          CombineStep, ActivateStep, AffineStep, SoftmaxStep, CopyStep, GatherStep, PickStep,
                          BlendStep, MaxPoolStep, AveragePoolStep, GlobalPoolStep, FlattenStep, StoreStep>;

/// Multiply-accumulates for one image; those of convolutions and linear layers count.
std::int64_t macs_of(const Step& step);

}  // namespace concertina::runtime
