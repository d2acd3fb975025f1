#include "train/joint/joint_step.h"

#include <algorithm>

#include "train/objective.h"
#include "train/supernet/tensor_ops.h"

namespace concertina::train {
namespace {

/// What a member's loss is remembered as: all on the targets, so that they can be compared.
double loss_on_targets(Outputs outputs, const Targets& targets) {
  for (torch::Tensor& output : outputs) output = output.detach();
  return loss_of(outputs, targets, 0).item<double>();
}

/// One of a step's passes.
void backward(const torch::Tensor& loss, bool last, const SharedGradients& gradients) {
  if (last) return gradients.backward(loss);
  loss.backward();
}

/// All members learn from each other, so all outputs must be there before the first backward pass.
std::vector<double> learn_mutually(const Supernet& net, std::span<const JointMember> members,
                                   const Batch& batch, double label_smoothing,
                                   const SharedGradients& gradients) {
  std::vector<torch::Tensor> logits, outputs;
  torch::Tensor sum = torch::zeros({}, net.compute().device);
  for (const JointMember& member : members) {
    logits.push_back(forward(net, batch, member.subnet, {.own = member.own})[0]);
    outputs.push_back(torch::softmax(logits.back().detach(), 1));
    sum = sum + outputs.back();
  }
  const Targets targets = targets_of(batch);
  std::vector<double> losses;
  for (std::size_t i = 0; i < members.size(); ++i) {
    torch::Tensor loss = loss_of({logits[i]}, targets, i == 0 ? label_smoothing : 0);
    if (i > 0) {
      const torch::Tensor others = (sum - outputs[i]) / static_cast<double>(members.size() - 1);
      loss = (loss + distillation_loss(logits[i], others)) / 2;
    }
    backward(members[i].weight * loss, i + 1 == members.size(), gradients);
    losses.push_back(loss_on_targets({logits[i]}, targets));
  }
  return losses;
}

/// One after the other, so that only one sub-net's activations are kept at a time.
std::vector<double> learn_in_turn(const Supernet& net, std::span<const JointMember> members,
                                  const Batch& batch, const Teaching& teaching,
                                  const SharedGradients& gradients) {
  const double share = batch.teacher ? 0 : teacher_share(teaching);
  const Targets targets = targets_of(batch);
  std::vector<double> losses;
  torch::Tensor of_largest;
  for (const JointMember& member : members) {
    const Outputs outputs = forward(net, batch, member.subnet, {.own = member.own});
    const bool largest = losses.empty();
    if (largest && share > 0) of_largest = torch::softmax(outputs[0].detach(), 1);
    torch::Tensor loss;
    if (largest || share < 1) loss = loss_of(outputs, targets, largest ? teaching.label_smoothing : 0);
    if (!largest && share > 0) {
      const torch::Tensor taught = share * distillation_loss(outputs[0], of_largest);
      loss = share < 1 ? (1 - share) * loss + taught : taught;
    }
    backward(member.weight * loss, losses.size() + 1 == members.size(), gradients);
    losses.push_back(loss_on_targets(outputs, targets));
  }
  return losses;
}

}  // namespace

double teacher_share(const Teaching& teaching) {
  constexpr double kWhole = 0.7;  // of the schedule: from then on the labels are the largest's alone
  switch (teaching.distillation) {
    case recipe::Distillation::growing:
      return std::clamp(teaching.progress / kWhole, 0.0, 1.0);
    case recipe::Distillation::in_place:
      return 1;
    case recipe::Distillation::mutual:
    case recipe::Distillation::none:
      return 0;
  }
  return 0;
}

JointStepResult train_together(const Supernet& net, std::span<const JointMember> members, const Batch& batch,
                               const Teaching& teaching, const SharedGradients& gradients) {
  JointStepResult result{.losses = {}, .spent = cost_of_targets(batch)};
  for (const JointMember& member : members)
    result.spent += search::training_spending(net.graph(), member.subnet, batch.size());
  result.losses = teaching.distillation == recipe::Distillation::mutual && !batch.teacher
                      ? learn_mutually(net, members, batch, teaching.label_smoothing, gradients)
                      : learn_in_turn(net, members, batch, teaching, gradients);
  batch.sharers.mean(result.losses);
  return result;
}

}  // namespace concertina::train
