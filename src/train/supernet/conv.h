#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"
#include "train/supernet/batch_norm.h"
#include "train/supernet/map_memory.h"
#include "train/torch.h"

namespace concertina::train {

/// What a sub-net's convolution multiplies: the first channels of an array of weights.
struct ConvPrefix {
  torch::Tensor weight;      ///< fp32 [out][in][h][w], channels last; at least as many channels as are active
  std::int64_t outputs = 0;  ///< active
  torch::Tensor bias;        ///< fp32 [outputs], or undefined
};

struct ConvOutput {
  torch::Tensor y;
  ChannelMoments moments;  ///< of y, if they were asked for
};

/// Whether conv() can do it on the CPU. LibTorch does transposed convolutions, and groups so narrow that they
/// would fill no vector.
bool has_own_kernels(const op::Conv& conv);

/// What multiplies: "AVX-512 BF16".
std::string own_unit(torch::Dtype dtype);

/// Names of the graph's convolutions for which it cannot.
std::vector<std::string> convolutions_of_libtorch(const Graph& graph);

/// Convolution by our own kernels, differentiable once. x is [n][c][h][w] on the CPU, fp32 or bf16, and y of
/// the same type. The weights are read where they are. If they are a leaf, its gradient is added to where it
/// is, too, and nothing of it outside the prefix is touched. Precondition: has_own_kernels(conv).
ConvOutput conv(const torch::Tensor& x, const ConvPrefix& prefix, const op::Conv& conv, std::int64_t groups,
                bool moments, const MapMemory& memory);

}  // namespace concertina::train
