#pragma once

#include "train/distributed/processes.h"
#include "train/supernet/map_memory.h"
#include "train/torch.h"

namespace concertina::train {

/// Of each channel of a map, [channels] fp32: mean and variance (that of the population). Undefined: not
/// known.
struct ChannelMoments {
  torch::Tensor mean, variance;
};

/// Those of a map on the CPU, by a pass over it. No gradient goes through them.
ChannelMoments find_moments(const torch::Tensor& x);

struct BatchNormInput {
  torch::Tensor x;             ///< [n][c][h][w] or [n][c], fp32 or bf16
  torch::Tensor scale, shift;  ///< [c], fp32
  double epsilon = 0;
  torch::Tensor residual = {};  ///< added to the result, of x's type and size; or undefined
  bool relu = false;            ///< after that
  ChannelMoments moments = {};  ///< of x, where the convolution that made it has found them
};

struct BatchNormOutput {
  torch::Tensor y;
  torch::Tensor mean;      ///< [channels] fp32
  torch::Tensor variance;  ///< [channels] fp32, unbiased
};

/// Batch norm by the batch's own statistics, differentiable once. Of several processes each gives a part of
/// the batch, of at least an image; the statistics are those of all parts, and the gradient of x is that of
/// the sum of all their losses. On the CPU it is our own, because LibTorch's channels-last batch norm is slow
/// where the channels do not fill its vectors, as those of a sub-net seldom do.
BatchNormOutput batch_norm(const BatchNormInput& input, const MapMemory& memory,
                           const Processes& processes = {});

}  // namespace concertina::train
