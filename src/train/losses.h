#pragma once

#include "train/torch.h"

namespace concertina::train {

/// Mean cross-entropy with the labels, the target spread by `smoothing` over all classes.
inline torch::Tensor label_loss(const torch::Tensor& logits, const torch::Tensor& labels, double smoothing) {
  return torch::nn::functional::cross_entropy(
      logits, labels, torch::nn::functional::CrossEntropyFuncOptions().label_smoothing(smoothing));
}

/// Mean cross-entropy with a teacher's probabilities: in-place distillation (Yu and Huang 2019), T = 1.
inline torch::Tensor distillation_loss(const torch::Tensor& logits,
                                       const torch::Tensor& teacher_probabilities) {
  return -(teacher_probabilities * torch::log_softmax(logits, 1)).sum(1).mean();
}

}  // namespace concertina::train
