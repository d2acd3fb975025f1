#include "train/joint_step.h"

#include "train/losses.h"

namespace concertina::train {
namespace {

/// Each sub-net's share of the outputs that it learns from: the mean of all others'.
torch::Tensor mean_of_others(const torch::Tensor& sum, const torch::Tensor& own, std::size_t count) {
  return (sum - own) / static_cast<double>(count - 1);
}

/// All sub-nets learn from each other, so all outputs must be there before the first backward pass.
torch::Tensor learn_mutually(const std::vector<torch::Tensor>& logits, const torch::Tensor& labels,
                             double label_smoothing) {
  torch::Tensor sum;
  std::vector<torch::Tensor> outputs;
  for (const torch::Tensor& one : logits) {
    outputs.push_back(torch::softmax(one.detach(), 1));
    sum = sum.defined() ? sum + outputs.back() : outputs.back();
  }
  torch::Tensor shown;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const torch::Tensor from_labels = label_loss(logits[i], labels, i == 0 ? label_smoothing : 0);
    if (i == 0) shown = from_labels.detach();
    torch::Tensor loss = from_labels;
    if (i > 0) {
      loss = (from_labels + distillation_loss(logits[i], mean_of_others(sum, outputs[i], logits.size()))) / 2;
    }
    loss.backward();
  }
  return shown;
}

}  // namespace

TrainingLoop::StepResult train_together(const Supernet& net, const std::vector<Subnet>& subnets,
                                        const Batch& batch, Distillation distillation,
                                        double label_smoothing) {
  TrainingLoop::StepResult result;
  for (const Subnet& subnet : subnets)
    result.spent += training_spending(net.graph(), subnet, batch.labels.size(0));
  if (distillation == Distillation::mutual) {
    std::vector<torch::Tensor> logits;
    for (const Subnet& subnet : subnets) logits.push_back(net.forward(batch.images, subnet));
    result.loss = learn_mutually(logits, batch.labels, label_smoothing);
    return result;
  }
  // One after the other, so that only one sub-net's activations are kept at a time.
  torch::Tensor teacher;
  for (const Subnet& subnet : subnets) {
    const torch::Tensor logits = net.forward(batch.images, subnet);
    const bool largest = !teacher.defined();
    if (largest) teacher = torch::softmax(logits.detach(), 1);
    const torch::Tensor loss = largest || distillation == Distillation::none
                                   ? label_loss(logits, batch.labels, largest ? label_smoothing : 0)
                                   : distillation_loss(logits, teacher);
    loss.backward();
    if (largest) result.loss = loss.detach();
  }
  return result;
}

}  // namespace concertina::train
