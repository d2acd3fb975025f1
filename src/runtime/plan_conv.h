#pragma once

#include "runtime/epilogues.h"
#include "runtime/memory_map.h"
#include "runtime/plan.h"

namespace concertina::runtime {

/// What the steps of a sub-net's convolutions and linear layers are made of. Keeps the references.
struct ConvSource {
  const PlanSource& shared;
  const MemoryMap& map;
  const Weights& own;  ///< the sub-net's own arrays, at its widths
  Epilogues& epilogues;
};

/// An input of the network among the images of a run. Precondition: an op::Input makes the value.
PlainInput plain_input(const Graph& graph, const Program& program, ValueId value);

/// What a convolution reads of a pixel.
std::vector<kernels::ChannelRange> input_ranges(const PixelLayout& input);

/// Adds the steps of one convolution or linear layer, the next in the program's order.
void add_conv_steps(const Operation& step, const ConvSource& source, Plan& plan);

}  // namespace concertina::runtime
