#pragma once

#include <span>
#include <vector>

#include "train/joint/joint_step.h"
#include "train/joint/own_parameters.h"

namespace concertina::train {

/// What joint training keeps besides the weights: the sub-nets' own parameters, a moving average of
/// everything trained, and each sub-net's present loss. All of it goes into checkpoints.
class JointState {
 public:
  JointState(const Supernet& net, std::vector<Subnet> subnets, const recipe::Recipe::Joint& recipe);

  /// What the optimiser changes.
  const Tensors& trained() const { return trained_; }

  /// What a checkpoint holds: that, the averages as "ema.<name>", the losses.
  Tensors kept() const;

  /// By sub-net, smoothed over steps; positive.
  std::span<const double> losses() const;

  /// The drawn sub-nets; with `focus` their losses weigh exp(focus * present loss), 1 on average.
  std::vector<JointMember> members(const std::vector<std::size_t>& drawn, double focus) const;

  void remember(const std::vector<std::size_t>& drawn, const std::vector<double>& losses);

  /// Takes into the moving average (Polyak) what a step has left.
  void average(std::int64_t step);

 private:
  std::vector<Subnet> subnets_;
  OwnParameters own_;
  double decay_;
  torch::Tensor losses_;
  Tensors trained_;
  Tensors averages_;
};

}  // namespace concertina::train
