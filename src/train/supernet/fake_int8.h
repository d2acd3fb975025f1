#pragma once

#include "graph/op.h"
#include "train/distributed/processes.h"
#include "train/torch.h"

/// Fake quantisation (Jacob 2018): numbers become those that int8 holds, and stay floats. Gradients pass as
/// if nothing had been rounded.
namespace concertina::train {

/// Whether the op is a layer whose weights have 8 bits in int8: a linear layer or a convolution that
/// kernels::int8_conv() can compute.
bool has_int8_weights(const Op& op);

/// Weights as kernels::pack_int8() rounds them. `weight`: fp32 [out][...], the full filter, so that a sub-net
/// has a part of what the full network has. The kernels of a transposed convolution's parts have scales of
/// their own, which are no coarser.
torch::Tensor fake_int8_weight(const torch::Tensor& weight);

/// A layer's input, with the scale and the zero point that hold all of its values, in the precision of x. Of
/// a batch that processes share, the values of all parts count.
torch::Tensor fake_int8_input(const torch::Tensor& x, const Processes& sharers);

}  // namespace concertina::train
