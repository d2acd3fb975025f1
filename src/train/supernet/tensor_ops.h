#pragma once

#include "graph/op.h"
#include "train/torch.h"

/// Ops on maps [n][c][h][w], differentiable, in the precision of x.
namespace concertina::train {

/// x as kernels take it: channels side by side, pixel after pixel.
inline torch::Tensor channels_last(const torch::Tensor& x) {
  return x.contiguous(x.dim() == 4 ? torch::MemoryFormat::ChannelsLast : torch::MemoryFormat::Contiguous);
}

/// `value` around the map; x itself if the window has no padding.
torch::Tensor padded(const torch::Tensor& x, const Window& window, double value);

/// LibTorch's convolution with the window of `conv`, which is not transposed. bias: may be undefined.
torch::Tensor plain_conv(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias,
                         std::int64_t groups, const op::Conv& conv);

/// A transposed convolution with op::Conv's filters. bias: may be undefined.
torch::Tensor transposed_conv(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias,
                              std::int64_t groups, const op::Conv& conv);

torch::Tensor activate(const torch::Tensor& x, const op::Activation& activation);
torch::Tensor max_pool(const torch::Tensor& x, const Window& window);
torch::Tensor average_pool(const torch::Tensor& x, const op::AveragePool& pool);
torch::Tensor pad(const torch::Tensor& x, const op::Pad& pad);
torch::Tensor resize(const torch::Tensor& x, const op::Resize& resize);
/// Bilinear with antialiasing, as kernels::scale_planes().
torch::Tensor scale(const torch::Tensor& x, int height, int width);
torch::Tensor depth_to_space(const torch::Tensor& x, const op::DepthToSpace& op);
torch::Tensor space_to_depth(const torch::Tensor& x, const op::SpaceToDepth& op);
torch::Tensor shuffle_channels(const torch::Tensor& x, int groups);

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
