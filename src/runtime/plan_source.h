#pragma once

#include "graph/network.h"
#include "graph/quantization.h"
#include "runtime/conv_choice.h"
#include "runtime/frame.h"
#include "runtime/packed_weights.h"
#include "runtime/program.h"
#include "runtime/storage.h"

namespace concertina::runtime {

/// What a plan is made of. The plans of sub-nets that leave out the same branches share it, but for the
/// scales and the choice of kernels.
struct PlanSource {
  const Graph& graph;      ///< the variant that they run
  const Weights& weights;  ///< of the full network, and of full size
  const Program& program;
  const Storage& storage;
  const PackedWeights& packed;
  const Quantizations& quantization;  ///< the sub-net's
  const ChooseKernel& choose;
  const BandPolicy& bands;

  /// The operation's op if it is a Wanted; null otherwise.
  template <class Wanted>
  const Wanted* op_if(const Operation& operation) const {
    return operation.node == kNone ? nullptr : std::get_if<Wanted>(&graph.node(operation.node).op);
  }

  /// The value among the images of a run. Precondition: an op::Input makes it.
  PlainInput plain_input(ValueId value) const;
};

}  // namespace concertina::runtime
