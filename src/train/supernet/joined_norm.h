#pragma once

#include "train/distributed/processes.h"
#include "train/supernet/batch_norm.h"
#include "train/torch.h"

/// Batch norm over a batch of which each process has a part.
namespace concertina::train {

/// `moments`: [2][channels] fp64, the means and the biased variances of this process's part, of `n` values a
/// channel. Makes them those of all parts, whose n is returned.
double join_moments(const torch::Tensor& moments, double n, const Processes& processes);

/// Keeps the processes from an op's forward pass for its backward pass.
void keep_processes(const Processes& processes, torch::autograd::AutogradContext* context);
Processes kept_processes(torch::autograd::AutogradContext* context);

/// What batch_norm() computes, by LibTorch's ops, on any device.
BatchNormOutput joined_batch_norm(const torch::Tensor& x, const torch::Tensor& scale,
                                  const torch::Tensor& shift, double epsilon, bool relu,
                                  const Processes& processes);

}  // namespace concertina::train
