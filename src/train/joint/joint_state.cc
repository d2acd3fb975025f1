#include "train/joint/joint_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/try.h"
#include "graph/edit.h"
#include "train/tensors.h"

namespace concertina::train {
namespace {

std::string prefix(std::size_t subnet) {
  return fmt::format("own.{}.", subnet);
}

}  // namespace

OwnParameters::OwnParameters(const Supernet& net, const std::vector<Subnet>& subnets, bool norms,
                             bool classifier)
    : tensors_(subnets.size()) {
  const Graph& graph = net.graph();
  const NodeId last = find_classifier(graph);
  for (std::size_t i = 1; i < subnets.size(); ++i) {
    for (NodeId id = 0; id < graph.size(); ++id) {
      const bool norm = std::holds_alternative<op::BatchNorm>(graph.node(id).op);
      if (!(norm && norms) && !(id == last && classifier)) continue;
      for (const Parameter& parameter : parameters(graph, id)) {
        if (!parameter.trainable) continue;
        tensors_[i][parameter_name(graph.node(id), parameter)] =
            net.active(id, parameter, subnets[i]).detach().clone().requires_grad_();
      }
    }
  }
}

Tensors OwnParameters::all() const {
  Tensors all;
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    for (const auto& [name, tensor] : tensors_[i]) all[prefix(i) + name] = tensor;
  }
  return all;
}

Tensors OwnParameters::pick(const Tensors& tensors, std::size_t subnet) {
  const std::string wanted = prefix(subnet);
  Tensors picked;
  for (const auto& [name, tensor] : tensors) {
    if (name.starts_with(wanted)) picked[name.substr(wanted.size())] = tensor;
  }
  return picked;
}

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

std::filesystem::path joint_checkpoint(const Run& run, std::size_t subnet) {
  if (run.recipe().joint.method == recipe::JointMethod::together)
    return run.file(recipe::Stage::joint, "checkpoint.pt");
  return run.file(recipe::Stage::joint, fmt::format("alone-{}.pt", subnet));
}

Result<Tensors> read_joint_weights(const Run& run, std::size_t subnet) {
  ASSIGN_OR_RETURN(Checkpoint trained, read_checkpoint(joint_checkpoint(run, subnet)));
  Tensors averages;
  for (const auto& [name, tensor] : trained.tensors) {
    if (name.starts_with("ema.")) averages[name.substr(4)] = tensor;
  }
  return averages.empty() ? std::move(trained.tensors) : averages;
}

}  // namespace concertina::train
