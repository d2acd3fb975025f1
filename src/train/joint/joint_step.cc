#include "train/joint/joint_step.h"

#include "train/supernet/tensor_ops.h"

namespace concertina::train {
namespace {

/// All members learn from each other, so all outputs must be there before the first backward pass.
std::vector<double> learn_mutually(const Supernet& net, std::span<const JointMember> members,
                                   const Batch& batch, double label_smoothing) {
  std::vector<torch::Tensor> logits, outputs;
  torch::Tensor sum = torch::zeros({}, net.compute().device);
  for (const JointMember& member : members) {
    logits.push_back(net.forward(batch.images, member.subnet, {.own = member.own}));
    outputs.push_back(torch::softmax(logits.back().detach(), 1));
    sum = sum + outputs.back();
  }
  std::vector<double> losses;
  for (std::size_t i = 0; i < members.size(); ++i) {
    torch::Tensor loss = label_loss(logits[i], batch.labels, i == 0 ? label_smoothing : 0);
    if (i > 0) {
      const torch::Tensor others = (sum - outputs[i]) / static_cast<double>(members.size() - 1);
      loss = (loss + distillation_loss(logits[i], others)) / 2;
    }
    (members[i].weight * loss).backward();
    losses.push_back(loss.item<double>());
  }
  return losses;
}

/// One after the other, so that only one sub-net's activations are kept at a time.
std::vector<double> learn_in_turn(const Supernet& net, std::span<const JointMember> members,
                                  const Batch& batch, bool from_largest, double label_smoothing) {
  std::vector<double> losses;
  torch::Tensor teacher;
  for (const JointMember& member : members) {
    const torch::Tensor logits = net.forward(batch.images, member.subnet, {.own = member.own});
    const bool largest = losses.empty();
    if (largest) teacher = torch::softmax(logits.detach(), 1);
    const torch::Tensor loss = largest || !from_largest
                                   ? label_loss(logits, batch.labels, largest ? label_smoothing : 0)
                                   : distillation_loss(logits, teacher);
    (member.weight * loss).backward();
    losses.push_back(loss.item<double>());
  }
  return losses;
}

}  // namespace

JointStepResult train_together(const Supernet& net, std::span<const JointMember> members, const Batch& batch,
                               recipe::Distillation distillation, double label_smoothing) {
  JointStepResult result;
  for (const JointMember& member : members)
    result.spent += search::training_spending(net.graph(), member.subnet, batch.labels.size(0));
  result.losses = distillation == recipe::Distillation::mutual
                      ? learn_mutually(net, members, batch, label_smoothing)
                      : learn_in_turn(net, members, batch, distillation == recipe::Distillation::in_place,
                                      label_smoothing);
  return result;
}

}  // namespace concertina::train
