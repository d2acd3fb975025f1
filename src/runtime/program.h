#pragma once

#include <vector>

#include "graph/graph.h"
#include "graph/ops/window.h"
#include "kernels/conv_types.h"

/// A graph as the runtime sees it: the same for every sub-net.
namespace concertina::runtime {

/// Index in Program::values.
using ValueId = int;

/// No value, or no node.
inline constexpr int kNone = -1;

/// A map in memory. Its features are those of `axis`; in a pixel each segment starts at a whole vector,
/// unless the segments are joined.
struct Value {
  ChannelAxis axis;
  int height = 1;
  int width = 1;
  bool joined = false;  ///< the segments follow each other without padding, as one
  bool dense =
      false;  ///< the pixel ends with its last feature: only what reads feature by feature may read it
  bool spare = false;  ///< the pixel is a vector longer: room for copies of whole vectors that start anywhere

  int pixels() const { return height * width; }
  /// Of a pixel in memory.
  int segments() const { return joined ? 1 : static_cast<int>(axis.size()); }
};

/// An op, and what its kernel does on the way to its result.
struct Operation {
  NodeId node = kNone;              ///< the op; kNone: features or pixels move to their places in the output
  std::vector<NodeId> affine = {};  ///< batch norms, scales and shifts right after it
  kernels::FusedActivation act = kernels::FusedActivation::none;
  /// After these; without its slopes. Of an activation: what it computes with the node that reads it.
  kernels::PointwiseFunction function = {};
  NodeId slopes = kNone;  ///< the PRelu that the function is
  std::vector<ValueId> inputs;
  ValueId residual = kNone;  ///< added before the activation; laid out as the output
  ValueId output = kNone;
};

/// Operations begin .. end - 1 of a program, which run as one: a single one, or layers that run in bands.
struct Pass {
  int begin = 0;
  int end = 0;

  int count() const { return end - begin; }
  friend bool operator==(const Pass&, const Pass&) = default;
};

/// The operations in an order in which they can run.
struct Program {
  std::vector<Value> values;
  std::vector<Operation> operations;
  std::vector<ValueId> outputs;  ///< in the graph's order

  const Value& value(ValueId id) const { return values[id]; }
};

/// A graph's window as the kernels want it. Map: a Shape or a Value.
template <class Map>
kernels::WindowArgs window_over(const Window& w, const Map& input, const Map& output) {
  return {.in_h = input.height,
          .in_w = input.width,
          .out_h = output.height,
          .out_w = output.width,
          .kernel_h = w.kernel_h,
          .kernel_w = w.kernel_w,
          .stride_h = w.stride_h,
          .stride_w = w.stride_w,
          .pad_top = w.pad_top,
          .pad_left = w.pad_left,
          .dilation_h = w.dilation_h,
          .dilation_w = w.dilation_w};
}

}  // namespace concertina::runtime
