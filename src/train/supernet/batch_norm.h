#pragma once

#include "train/distributed/processes.h"
#include "train/torch.h"

namespace concertina::train {

struct BatchNormOutput {
  torch::Tensor y;
  torch::Tensor mean;      ///< [channels] fp32
  torch::Tensor variance;  ///< [channels] fp32, unbiased
};

/// Batch norm by the batch's own statistics, with ReLU after it if asked for, differentiable once. x is
/// [n][c][h][w] or [n][c] in fp32 or bf16, scale and shift fp32 [c]. Of several processes each gives a part
/// of the batch, of at least an image; the statistics are those of all parts, and the gradient of x is that
/// of the sum of all their losses. On the CPU it is our own, because LibTorch's channels-last batch norm is
/// slow where the channels do not fill its vectors, as those of a sub-net seldom do.
BatchNormOutput batch_norm(const torch::Tensor& x, const torch::Tensor& scale, const torch::Tensor& shift,
                           double epsilon, bool relu, const Processes& processes = {});

}  // namespace concertina::train
