#pragma once

#include "train/torch.h"

/// For tests.
namespace concertina::train {

/// How far a tensor is from what it should be, by their norms.
inline double relative_error(const torch::Tensor& got, const torch::Tensor& wanted) {
  const torch::Tensor exact = wanted.to(torch::kDouble);
  return ((got.to(torch::kDouble) - exact).norm() / exact.norm()).item<double>();
}

}  // namespace concertina::train
