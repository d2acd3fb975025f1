#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace concertina::train {

/// A convolution at full width, as the trainer meets it. Those of one kind take the same time.
struct ConvKind {
  op::Conv conv;
  Shape input;
  bool normalized = false;  ///< a batch norm reads it and needs its channels' moments
  bool first = false;       ///< its input is the network's, which needs no gradient
};

/// "64x32x32 to 128, 3x3, stride 2x2, padding 1 1 1 1, then a norm": different kinds have different names.
std::string name_of(const ConvKind& kind);

/// By node: its kind, if it is a convolution that our kernels can do.
std::vector<std::optional<ConvKind>> conv_kinds(const Graph& graph);

/// Which convolutions of a network on the CPU are LibTorch's, besides those that our kernels cannot do.
struct ConvChoice {
  std::set<std::string> libtorch;  ///< names of kinds
};

}  // namespace concertina::train
