#include "train/joint/joint_step.h"

#include <algorithm>

#include "train/supernet/tensor_ops.h"

namespace concertina::train {
namespace {

/// What a member's loss is remembered as: all on the labels, so that they can be compared.
double loss_on_labels(const torch::Tensor& logits, const Batch& batch) {
  return label_loss(logits.detach(), batch.labels, 0).item<double>();
}

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
    losses.push_back(loss_on_labels(logits[i], batch));
  }
  return losses;
}

/// One after the other, so that only one sub-net's activations are kept at a time.
std::vector<double> learn_in_turn(const Supernet& net, std::span<const JointMember> members,
                                  const Batch& batch, const Teaching& teaching) {
  const double share = teacher_share(teaching);
  std::vector<double> losses;
  torch::Tensor teacher;
  for (const JointMember& member : members) {
    const torch::Tensor logits = net.forward(batch.images, member.subnet, {.own = member.own});
    const bool largest = losses.empty();
    if (largest) teacher = torch::softmax(logits.detach(), 1);
    torch::Tensor loss;
    if (largest || share < 1) loss = label_loss(logits, batch.labels, largest ? teaching.label_smoothing : 0);
    if (!largest && share > 0) {
      const torch::Tensor taught = share * distillation_loss(logits, teacher);
      loss = share < 1 ? (1 - share) * loss + taught : taught;
    }
    (member.weight * loss).backward();
    losses.push_back(loss_on_labels(logits, batch));
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
                               const Teaching& teaching) {
  JointStepResult result;
  for (const JointMember& member : members)
    result.spent += search::training_spending(net.graph(), member.subnet, batch.labels.size(0));
  result.losses = teaching.distillation == recipe::Distillation::mutual
                      ? learn_mutually(net, members, batch, teaching.label_smoothing)
                      : learn_in_turn(net, members, batch, teaching);
  return result;
}

}  // namespace concertina::train
