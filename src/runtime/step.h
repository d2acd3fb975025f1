#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "kernels/conv.h"
#include "kernels/depthwise.h"
#include "kernels/elementwise.h"
#include "kernels/move.h"
#include "kernels/pool.h"
#include "kernels/resample.h"
#include "runtime/bands.h"

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
  ThreadPool& alone;              ///< one thread: the caller
  std::int64_t* laps = nullptr;   ///< if not null, a banded step adds the nanoseconds of each of its steps
  std::ptrdiff_t lap_stride = 0;  ///< from a thread's laps to the next one's
};

/// What a run of some rows of one image brings.
struct RowsFrame {
  kernels::WindowArgs window;    ///< over the rows that are seen, making those that are made
  const float* input = nullptr;  ///< the first pixel seen; of planes, the first one's
  float* output = nullptr;       ///< the first pixel made
  float* workspace = nullptr;
  ThreadPool& pool;
};

/// Where a map, or a segment of it, lies.
struct Location {
  std::ptrdiff_t buffer = 0;   ///< floats before it in the arena, for each image of the batch
  std::ptrdiff_t channel = 0;  ///< floats before it in the pixel
  std::ptrdiff_t stride = 0;   ///< floats from pixel to pixel

  float* in(const Frame& frame) const { return pixels(frame) + channel; }
  /// Of the whole map.
  float* pixels(const Frame& frame) const { return frame.arena + buffer * frame.batch; }
};

/// An input of the network as it comes, in planes.
struct PlainInput {
  std::ptrdiff_t begin = 0;  ///< floats before it among the images, for each image of the batch
  int channels = 0;

  const float* in(const Frame& frame) const { return frame.images + begin * frame.batch; }
};

/// A segment of an input comes into the arena.
struct LoadStep {
  kernels::FromPlainArgs args;
  PlainInput plain;
  std::ptrdiff_t plane = 0;  ///< floats before the segment in an image
  Location output;
  void run(const Frame& frame) const;
  void run_rows(const RowsFrame& frame) const;
};

struct ConvStep {
  kernels::ConvArgs args;
  std::vector<kernels::ChannelRange> ranges;
  Location input;
  std::optional<PlainInput> plain = {};  ///< in place of `input`
  Location output;
  std::optional<Location> residual;
  void run(const Frame& frame) const;
  void run_rows(const RowsFrame& frame) const;
};

/// args.packed comes from pack_grouped().
struct GroupedStep {
  ConvStep conv;
  void run(const Frame& frame) const;
  void run_rows(const RowsFrame& frame) const;
};

/// args.packed is a transformed filter.
struct WinogradStep {
  ConvStep conv;
  int side = 4;  ///< of a tile
  void run(const Frame& frame) const;
  void run_rows(const RowsFrame& frame) const;
};

/// args.packed comes from pack_conv().
struct PlanarStep {
  ConvStep conv;
  void run(const Frame& frame) const;
  void run_rows(const RowsFrame& frame) const;
};

/// args.packed is a filter of bfloat16.
struct Bf16Step {
  ConvStep conv;
  void run(const Frame& frame) const;
  void run_rows(const RowsFrame& frame) const;
};

struct DepthwiseStep {
  kernels::DepthwiseArgs args;
  Location input;
  Location output;
  std::optional<Location> residual;
  void run(const Frame& frame) const;
  void run_rows(const RowsFrame& frame) const;
};

/// The strides of b are in args.
struct CombineStep {
  kernels::CombineArgs args;
  Location a;
  Location b;
  Location output;
  void run(const Frame& frame) const;
};

/// In this and the next four, args.pixels are those of one image.
struct ActivateStep {
  kernels::ActivateArgs args;
  Location input;
  Location output;
  void run(const Frame& frame) const;
};

struct AffineStep {
  kernels::AffineArgs args;
  Location input;
  Location output;
  void run(const Frame& frame) const;
};

struct SoftmaxStep {
  kernels::SoftmaxArgs args;
  Location input;
  Location output;
  void run(const Frame& frame) const;
};

struct CopyStep {
  kernels::CopyArgs args;
  Location input;
  Location output;
  void run(const Frame& frame) const;
};

struct GatherStep {
  kernels::GatherArgs args;
  std::vector<std::int32_t> sources;
  Location input;
  Location output;
  void run(const Frame& frame) const;
};

struct PickStep {
  kernels::PickArgs args;
  std::vector<int> rows;
  std::vector<int> columns;
  Location input;
  Location output;
  void run(const Frame& frame) const;
};

struct BlendStep {
  kernels::BlendArgs args;
  std::vector<kernels::LinearTap> rows;
  std::vector<kernels::LinearTap> columns;
  Location input;
  Location output;
  void run(const Frame& frame) const;
};

struct MaxPoolStep {
  kernels::PoolArgs args;
  Location input;
  Location output;
  void run(const Frame& frame) const;
  void run_rows(const RowsFrame& frame) const;
};

struct AveragePoolStep {
  kernels::PoolArgs args;
  kernels::AveragePadding padding;
  Location input;
  Location output;
  void run(const Frame& frame) const;
};

struct GlobalPoolStep {
  kernels::GlobalPoolArgs args;
  Location input;
  Location output;
  void run(const Frame& frame) const;
};

struct FlattenStep {
  kernels::FlattenArgs args;
  std::vector<kernels::FlattenSegment> segments;
  Location input;
  Location output;
  void run(const Frame& frame) const;
};

/// A segment of an output goes to the caller.
struct StoreStep {
  kernels::ToPlainArgs args;
  Location input;
  std::ptrdiff_t begin = 0;  ///< floats before the output among the logits, for each image of the batch
  std::ptrdiff_t plane = 0;  ///< floats before the segment in an image's output
  void run(const Frame& frame) const;
};

/// What can run over some rows only. Residuals cannot be had there.
using RowStep = std::variant<LoadStep, ConvStep, GroupedStep, WinogradStep, PlanarStep, Bf16Step,
                             DepthwiseStep, MaxPoolStep>;

/// Layers that run in bands: each image, or a part of its rows, by one thread. The outputs of all but the
/// last layer lie in that thread's workspace, a few rows at a time.
struct BandedStep {
  struct Layer {
    std::vector<RowStep> steps;     ///< one for each segment of its output
    std::ptrdiff_t row_floats = 0;  ///< of its output
    std::ptrdiff_t buffer = 0;      ///< floats before its output in the workspace; not of the last layer
  };

  std::vector<Layer> layers;
  std::vector<BandLayer> geometry;   ///< of the layers
  int rows = 1;                      ///< see BandWalk
  std::ptrdiff_t kernel_memory = 0;  ///< floats in the workspace before that of the kernels
  std::ptrdiff_t memory = 0;         ///< floats of a thread's workspace

  void run(const Frame& frame) const;

 private:
  struct Part;
  void run_part(const Frame& frame, const Part& part) const;
};

/// steps: of each layer, which reads the one before it only. windows: over whole maps. bytes: see
/// BandPolicy::memory.
BandedStep make_banded(std::vector<std::vector<RowStep>> steps,
                       const std::vector<kernels::WindowArgs>& windows, std::int64_t bytes);

using Step =
    std::variant<LoadStep, ConvStep, GroupedStep, WinogradStep, PlanarStep, Bf16Step, DepthwiseStep,
                 CombineStep, ActivateStep, AffineStep, SoftmaxStep, CopyStep, GatherStep, PickStep,
                 BlendStep, MaxPoolStep, AveragePoolStep, GlobalPoolStep, FlattenStep, StoreStep, BandedStep>;

/// Multiply-accumulates for one image; those of convolutions and linear layers count. None of a banded step.
std::int64_t macs_of(const Step& step);

}  // namespace concertina::runtime
