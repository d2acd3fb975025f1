#pragma once

#include "graph/op.h"
#include "train/torch.h"

/// The ops without weights on maps [n][c][h][w], differentiable, in the precision of x.
namespace concertina::train {

/// `value` around the map; x itself if the window has no padding.
torch::Tensor padded(const torch::Tensor& x, const Window& window, double value);

torch::Tensor activate(const torch::Tensor& x, const op::Activation& activation);
torch::Tensor max_pool(const torch::Tensor& x, const Window& window);
torch::Tensor average_pool(const torch::Tensor& x, const op::AveragePool& pool);
torch::Tensor pad(const torch::Tensor& x, const op::Pad& pad);
torch::Tensor resize(const torch::Tensor& x, const op::Resize& resize);
torch::Tensor shuffle_channels(const torch::Tensor& x, int groups);

}  // namespace concertina::train
