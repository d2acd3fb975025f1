#pragma once

#include "train/tensors.h"

namespace concertina::train {

/// Weights in training, and their moving average (Polyak). The average is about as good as weights whose
/// learning rate has been lowered, so that a network can be judged in the middle of its training.
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
