#include "train/joint/joint_state.h"

#include <fmt/format.h>

#include <cmath>

#include "base/try.h"
#include "graph/branches.h"
#include "train/tensors.h"

namespace concertina::train {
namespace {

std::string prefix(std::size_t subnet) {
  return fmt::format("own.{}.", subnet);
}

}  // namespace

OwnNorms::OwnNorms(const Supernet& net, std::span<const Subnet> subnets) : tensors_(subnets.size()) {
  const Graph& graph = net.graph();
  for (std::size_t i = 1; i < subnets.size(); ++i) {
    const std::vector<bool> absent = absent_nodes(graph, subnets[i]);
    for (NodeId id = 0; id < graph.size(); ++id) {
      if (absent[id] || !std::holds_alternative<op::BatchNorm>(graph.node(id).op)) continue;
      for (const Parameter& parameter : parameters(graph, id)) {
        if (!parameter.trainable) continue;
        tensors_[i][parameter_name(graph.node(id), parameter)] =
            net.active(id, parameter, subnets[i]).detach().clone().requires_grad_();
      }
    }
  }
}

const Tensors* OwnNorms::of(std::size_t subnet) const {
  return subnet == 0 || subnet >= tensors_.size() ? nullptr : &tensors_[subnet];
}

Tensors OwnNorms::all() const {
  Tensors all;
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    for (const auto& [name, tensor] : tensors_[i]) all[prefix(i) + name] = tensor;
  }
  return all;
}

Tensors OwnNorms::pick(const Tensors& tensors, std::size_t subnet) {
  const std::string wanted = prefix(subnet);
  Tensors picked;
  for (const auto& [name, tensor] : tensors) {
    if (name.starts_with(wanted)) picked[name.substr(wanted.size())] = tensor;
  }
  return picked;
}

JointState::JointState(const Supernet& net, std::vector<Subnet> subnets, const recipe::Recipe::Joint& recipe)
    : subnets_(std::move(subnets)),
      own_(net, recipe.private_norm ? std::span<const Subnet>(subnets_) : std::span<const Subnet>()),
      losses_(torch::ones({static_cast<std::int64_t>(subnets_.size())}, torch::kDouble)),
      trained_(net.weights()) {
  for (const auto& [name, tensor] : own_.all()) trained_[name] = tensor;
}

Tensors JointState::kept() const {
  Tensors kept = trained_;
  kept["losses"] = losses_;
  return kept;
}

void JointState::assign(const Tensors& kept) {
  const torch::NoGradGuard no_grad;
  for (auto& [name, tensor] : this->kept()) torch::Tensor(tensor).copy_(kept.at(name));
}

std::span<const double> JointState::losses() const {
  return {losses_.data_ptr<double>(), static_cast<std::size_t>(losses_.numel())};
}

std::vector<JointMember> JointState::members(const std::vector<std::size_t>& drawn, double focus) const {
  std::vector<JointMember> members;
  double sum = 0;
  for (const std::size_t i : drawn) {
    members.push_back({subnets_[i], own_.of(i), std::exp(focus * losses()[i])});
    sum += members.back().weight;
  }
  for (JointMember& member : members) member.weight *= static_cast<double>(members.size()) / sum;
  return members;
}

void JointState::remember(const std::vector<std::size_t>& drawn, const std::vector<double>& losses) {
  constexpr double kMemory = 0.98;
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    double& loss = losses_.data_ptr<double>()[drawn[i]];
    loss = kMemory * loss + (1 - kMemory) * losses[i];
  }
}

std::filesystem::path joint_checkpoint(const Run& run, std::size_t subnet) {
  if (run.recipe().joint.method == recipe::JointMethod::together)
    return run.file(recipe::Stage::joint, "checkpoint.pt");
  return run.file(recipe::Stage::joint, fmt::format("alone-{}.pt", subnet));
}

Result<Tensors> read_trained_weights(const Run& run, std::size_t subnet) {
  const bool tuned = run.recipe().quantize.epochs > 0;
  const std::filesystem::path path =
      tuned ? run.file(recipe::Stage::fine_tune, "checkpoint.pt") : joint_checkpoint(run, subnet);
  ASSIGN_OR_RETURN(Checkpoint trained, read_checkpoint(path, run.processes()));
  return std::move(trained.tensors);
}

}  // namespace concertina::train
