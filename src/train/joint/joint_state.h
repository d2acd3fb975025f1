#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "train/joint/joint_step.h"
#include "train/run.h"
#include "train/supernet/supernet.h"

namespace concertina::train {

/// Scale and shift of every batch norm for each sub-net of a list but the first; they start as the shared
/// ones are.
class OwnNorms {
 public:
  OwnNorms(const Supernet& net, std::span<const Subnet> subnets);

  /// By names as Weights has them. Leaf tensors; null for the first sub-net, and for those not in the list.
  const Tensors* of(std::size_t subnet) const;

  /// All of them under names that no parameter of the network has, for checkpoints and optimisers.
  Tensors all() const;

  /// The part of `tensors`, named as in all(), that belongs to a sub-net.
  static Tensors pick(const Tensors& tensors, std::size_t subnet);

 private:
  std::vector<Tensors> tensors_;
};

/// What joint training keeps besides the weights: the sub-nets' own batch norms, and each sub-net's present
/// loss. All of it goes into checkpoints.
class JointState {
 public:
  JointState(const Supernet& net, std::vector<Subnet> subnets, const recipe::Recipe::Joint& recipe);

  /// What the optimiser changes.
  const Tensors& trained() const { return trained_; }

  /// What a checkpoint holds: that and the losses.
  Tensors kept() const;

  /// Goes on from there. Precondition: same names and shapes.
  void assign(const Tensors& kept);

  /// By sub-net, smoothed over steps.
  std::span<const double> losses() const;

  /// The drawn sub-nets; with `focus` their losses weigh exp(focus * present loss), 1 on average.
  std::vector<JointMember> members(const std::vector<std::size_t>& drawn, double focus) const;

  void remember(const std::vector<std::size_t>& drawn, const std::vector<double>& losses);

 private:
  std::vector<Subnet> subnets_;
  OwnNorms own_;
  torch::Tensor losses_;
  Tensors trained_;
};

/// The file in which joint training keeps a sub-net's weights: one for all of them, or, where each is trained
/// alone, one for each.
std::filesystem::path joint_checkpoint(const Run& run, std::size_t subnet);

/// The weights for a sub-net after joint training and, if there is one, fine-tuning. Its own batch norms are
/// named as OwnNorms::all() names them.
Result<Tensors> read_trained_weights(const Run& run, std::size_t subnet);

}  // namespace concertina::train
