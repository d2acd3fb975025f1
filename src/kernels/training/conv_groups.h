#pragma once

#include "kernels/training/conv_pack.h"
#include "kernels/training/conv_sweep.h"

/// The groups of a convolution, which are computed one after the other.
namespace concertina::kernels {

/// A depthwise convolution is run as one group of all channels, in floats.
struct GroupedConv {
  TrainingConv conv;
  bool depthwise = false;

  explicit GroupedConv(const TrainingConv& of);

  SweepShape shape() const { return {conv.images, conv.unit->least_columns, depthwise}; }

  /// A group of its inputs, or outputs.
  SweepSource input(const void* x, int group) const;
  SweepSource output(const void* dy, int group) const;

  /// The filter of a group, as the forward pass multiplies it.
  SweepFilter filter(const FilterPart<const float>& part, int group) const;
};

}  // namespace concertina::kernels
