#pragma once

#include <vector>

#include "train/supernet.h"

namespace concertina::train {

/// Parameters that each sub-net of a list but the largest has for itself; they start as the shared ones are.
class OwnParameters {
 public:
  /// `norms`: scale and shift of every batch norm; `classifier`: weight and bias of the last layer.
  OwnParameters(const Supernet& net, const std::vector<Subnet>& subnets, bool norms, bool classifier);

  /// By names as Weights has them. Leaf tensors; none for the first sub-net.
  const Tensors& of(std::size_t subnet) const { return tensors_[subnet]; }

  /// All of them under names that no parameter of the network has, for checkpoints and optimisers.
  Tensors all() const;

  /// The part of `tensors`, named as in all(), that belongs to a sub-net.
  static Tensors pick(const Tensors& tensors, std::size_t subnet);

 private:
  std::vector<Tensors> tensors_;
};

}  // namespace concertina::train
