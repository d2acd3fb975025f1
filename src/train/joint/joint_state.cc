#include "train/joint/joint_state.h"

#include <algorithm>
#include <cmath>

namespace concertina::train {

JointState::JointState(const Supernet& net, std::vector<Subnet> subnets, const recipe::Recipe::Joint& recipe)
    : subnets_(std::move(subnets)),
      own_(net, subnets_, recipe.private_norm, recipe.private_classifier),
      decay_(recipe.ema),
      losses_(torch::ones({static_cast<std::int64_t>(subnets_.size())}, torch::kDouble)),
      trained_(net.weights()) {
  for (const auto& [name, tensor] : own_.all()) trained_[name] = tensor;
  if (decay_ == 0) return;
  for (const auto& [name, tensor] : trained_) averages_["ema." + name] = tensor.detach().clone();
}

Tensors JointState::kept() const {
  Tensors kept = trained_;
  kept.insert(averages_.begin(), averages_.end());
  kept["losses"] = losses_;
  return kept;
}

std::span<const double> JointState::losses() const {
  return {losses_.data_ptr<double>(), static_cast<std::size_t>(losses_.numel())};
}

std::vector<JointMember> JointState::members(const std::vector<std::size_t>& drawn, double focus) const {
  std::vector<JointMember> members;
  double sum = 0;
  for (const std::size_t i : drawn) {
    const Tensors& own = own_.of(i);
    members.push_back({subnets_[i], own.empty() ? nullptr : &own, std::exp(focus * losses()[i])});
    sum += members.back().weight;
  }
  for (JointMember& member : members) member.weight *= static_cast<double>(members.size()) / sum;
  return members;
}

void JointState::remember(const std::vector<std::size_t>& drawn, const std::vector<double>& losses) {
  constexpr double kMemory = 0.98, kLeast = 1e-6;
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    double& loss = losses_.data_ptr<double>()[drawn[i]];
    loss = kMemory * loss + (1 - kMemory) * std::max(losses[i], kLeast);
  }
}

void JointState::average(std::int64_t step) {
  // Short at first, so that the start is forgotten.
  const auto done = static_cast<double>(step);
  const double decay = std::min(decay_, (1 + done) / (10 + done));
  const torch::NoGradGuard no_grad;
  for (auto& [name, average] : averages_) average.lerp_(trained_.at(name.substr(4)), 1 - decay);
}

}  // namespace concertina::train
