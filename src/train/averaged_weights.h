#pragma once

#include "train/tensors.h"

namespace concertina::train {

/// Weights in training, and their moving average (Polyak 1992), which leaves out the noise of the present
/// learning rate: by it a network is judged in the middle of its training.
struct AveragedWeights {
  Tensors latest, averaged;

  /// `latest`: leaves that training changes in place.
  static AveragedWeights start(const Tensors& latest);

  /// Takes into the average what a step has left.
  void update(std::int64_t step);

  /// Both in one, for a checkpoint, and back; weights stored without an average are their own.
  Tensors packed() const;
  static AveragedWeights unpack(const Tensors& packed);
};

}  // namespace concertina::train
