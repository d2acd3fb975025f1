#include "train/supernet/tensor_ops.h"

#include <algorithm>
#include <limits>

#include "kernels/resample.h"

namespace concertina::train {
namespace {

constexpr std::int64_t kRows = 2, kColumns = 3;  // dimensions of a map

/// Means over a window, padding not included.
torch::Tensor window_means(const torch::Tensor& x, const Window& w) {
  if (w.dilation_h == 1 && w.dilation_w == 1) {
    return torch::avg_pool2d(x, {w.kernel_h, w.kernel_w}, {w.stride_h, w.stride_w});
  }
  const torch::Tensor share =
      torch::full({x.size(1), 1, w.kernel_h, w.kernel_w}, 1.0 / w.taps(), x.options());
  return torch::conv2d(x, share, {}, {w.stride_h, w.stride_w}, at::IntArrayRef{0, 0},
                       {w.dilation_h, w.dilation_w}, x.size(1));
}

torch::Tensor positions(const std::vector<std::int64_t>& list, const torch::Tensor& like) {
  return torch::tensor(list, torch::kLong).to(like.device());
}

/// The lines that the padded map shows of the map along one dimension. Precondition: none is a constant.
torch::Tensor pad_lines(const torch::Tensor& x, const op::Pad& pad, std::int64_t along, int before,
                        int after) {
  if (before + after == 0) return x;
  const int size = static_cast<int>(x.size(along));
  std::vector<std::int64_t> lines;
  for (int i = 0; i < before + size + after; ++i) lines.push_back(pad.source(i, before, size));
  return x.index_select(along, positions(lines, x));
}

torch::Tensor resize_lines(const torch::Tensor& x, const std::vector<op::Resize::Tap>& taps,
                           std::int64_t along) {
  std::vector<std::int64_t> first, second;
  std::vector<float> shares;
  bool mixed = false;
  for (const op::Resize::Tap& tap : taps) {
    first.push_back(tap.first);
    second.push_back(tap.second);
    shares.push_back(tap.share);
    mixed = mixed || tap.share != 0;
  }
  const torch::Tensor here = x.index_select(along, positions(first, x));
  if (!mixed) return here;
  std::vector<std::int64_t> shape(static_cast<std::size_t>(x.dim()), 1);
  shape[along] = static_cast<std::int64_t>(taps.size());
  const torch::Tensor share = torch::tensor(shares).to(x.device(), x.scalar_type()).view(shape);
  return here * (1 - share) + x.index_select(along, positions(second, x)) * share;
}

/// [to][from]: what lines of `from` pixels are multiplied by to have `to`.
torch::Tensor scaling_matrix(int from, int to) {
  const kernels::ScaledLine line = kernels::scale_line(from, to);
  torch::Tensor matrix = torch::zeros({to, from});
  auto at = matrix.accessor<float, 2>();
  for (int i = 0; i < to; ++i) {
    const int first = line.first[static_cast<std::size_t>(i)];
    for (int k = 0; k < std::min(line.taps, from - first); ++k)
      at[i][first + k] = line.weights[static_cast<std::size_t>(i * line.taps + k)];
  }
  return matrix;
}

/// A bound that no 32-bit float exceeds is none; LibTorch could not convert it to bf16.
torch::Tensor clip(const torch::Tensor& x, double least, double most) {
  constexpr double kNone = std::numeric_limits<float>::max();
  if (most >= kNone) return least <= -kNone ? x : torch::clamp_min(x, least);
  return least <= -kNone ? torch::clamp_max(x, most) : torch::clamp(x, least, most);
}

}  // namespace

torch::Tensor padded(const torch::Tensor& x, const Window& w, double value) {
  if (w.pad_left + w.pad_right + w.pad_top + w.pad_bottom == 0) return x;
  return torch::constant_pad_nd(x, {w.pad_left, w.pad_right, w.pad_top, w.pad_bottom}, value);
}

torch::Tensor plain_conv(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias,
                         std::int64_t groups, const op::Conv& conv) {
  const Window& w = conv.window;
  const bool pads = w.pad_top + w.pad_bottom + w.pad_left + w.pad_right > 0;
  if (w.taps() == 1 && !pads && w.stride_h * w.stride_w > 1) {
    // oneDNN 2.6 corrupts the heap with a stride and fewer than 8 channels on AVX2.
    const torch::Tensor seen =
        x.slice(kRows, 0, x.size(kRows), w.stride_h).slice(kColumns, 0, x.size(kColumns), w.stride_w);
    return torch::conv2d(channels_last(seen), weight, bias, {1, 1}, at::IntArrayRef{0, 0}, {1, 1}, groups);
  }
  // LibTorch takes padding that is alike on both sides only.
  const bool even = w.pad_top == w.pad_bottom && w.pad_left == w.pad_right;
  return torch::conv2d(even ? x : padded(x, w, 0), weight, bias, {w.stride_h, w.stride_w},
                       even ? at::IntArrayRef{w.pad_top, w.pad_left} : at::IntArrayRef{0, 0},
                       {w.dilation_h, w.dilation_w}, groups);
}

torch::Tensor transposed_conv(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias,
                              std::int64_t groups, const op::Conv& conv) {
  const Window& w = conv.window;
  // [groups * out][in][h][w] -> [groups * in][out][h][w]
  const torch::Tensor filters = weight.flip({kRows, kColumns})
                                    .unflatten(0, {groups, weight.size(0) / groups})
                                    .transpose(1, 2)
                                    .flatten(0, 1);
  // LibTorch 1.13 fails with 16-bit floats on CPUs.
  const torch::Dtype dtype = x.is_cpu() ? torch::kFloat : x.scalar_type();
  const torch::Tensor all = torch::conv_transpose2d(x.to(dtype), filters.to(dtype), {},
                                                    {conv.input_dilation_h, conv.input_dilation_w}, {0, 0},
                                                    {0, 0}, groups, {w.dilation_h, w.dilation_w})
                                .to(x.scalar_type());
  const std::int64_t reach_h = w.extent_h() - 1, reach_w = w.extent_w() - 1;
  const torch::Tensor y = torch::constant_pad_nd(
      all, {w.pad_left - reach_w, w.pad_right - reach_w, w.pad_top - reach_h, w.pad_bottom - reach_h});
  return bias.defined() ? y + bias.view({-1, 1, 1}) : y;
}

/// At 0 the slope is infinite, which times 0 would be no number; there it is taken to be 0.
torch::Tensor square_root(const torch::Tensor& x) {
  const torch::Tensor roots = torch::sqrt(x.clamp_min(std::numeric_limits<float>::min()));
  return torch::where(x > 0, roots, torch::sqrt(x.detach()));
}

torch::Tensor activate(const torch::Tensor& x, const op::Activation& activation) {
  const double a = activation.a, b = activation.b;
  switch (activation.function) {
    case op::Function::relu:
      return torch::relu(x);
    case op::Function::clip:
      return clip(x, a, b);
    case op::Function::leaky_relu:
      return torch::leaky_relu(x, a);
    case op::Function::hard_sigmoid:
      return torch::clamp(x * a + b, 0, 1);
    case op::Function::hard_swish:
      return torch::hardswish(x);
    case op::Function::sigmoid:
      return torch::sigmoid(x);
    case op::Function::tanh:
      return torch::tanh(x);
    case op::Function::elu:
      return torch::elu(x, a);
    case op::Function::selu:
      return torch::elu(x, a, b);
    case op::Function::softplus:
      return torch::softplus(x);
    case op::Function::mish:
      return torch::mish(x.to(torch::kFloat)).to(x.scalar_type());  // LibTorch 1.13 has no other on CPUs
    case op::Function::erf:
      return torch::erf(x);
    case op::Function::gelu:
      return torch::gelu(x);
    case op::Function::gelu_tanh:
      return torch::gelu(x, "tanh");
    case op::Function::sqrt:
      return square_root(x.to(torch::kFloat)).to(x.scalar_type());
    case op::Function::reciprocal:
      return torch::reciprocal(x);
  }
  return x;
}

torch::Tensor max_pool(const torch::Tensor& x, const Window& w) {
  return torch::max_pool2d(padded(x, w, -std::numeric_limits<double>::infinity()), {w.kernel_h, w.kernel_w},
                           {w.stride_h, w.stride_w}, at::IntArrayRef{0, 0}, {w.dilation_h, w.dilation_w});
}

torch::Tensor average_pool(const torch::Tensor& x, const op::AveragePool& pool) {
  const Window& w = pool.window;
  const torch::Tensor means = window_means(padded(x, w, 0), w);
  const bool has_padding = w.pad_top + w.pad_left + w.pad_bottom + w.pad_right > 0;
  if (pool.count_padding || !has_padding) return means;
  const torch::Tensor ones = torch::ones_like(x.detach().narrow(0, 0, 1).narrow(1, 0, 1));
  return means / window_means(padded(ones, w, 0), w);
}

torch::Tensor pad(const torch::Tensor& x, const op::Pad& pad) {
  if (pad.mode == op::Pad::Mode::constant) {
    return torch::constant_pad_nd(x, {pad.left, pad.right, pad.top, pad.bottom}, pad.value);
  }
  return pad_lines(pad_lines(x, pad, kRows, pad.top, pad.bottom), pad, kColumns, pad.left, pad.right);
}

torch::Tensor resize(const torch::Tensor& x, const op::Resize& resize) {
  const torch::Tensor rows = resize_lines(x, resize.rows(static_cast<int>(x.size(kRows))), kRows);
  return resize_lines(rows, resize.columns(static_cast<int>(x.size(kColumns))), kColumns);
}

torch::Tensor scale(const torch::Tensor& x, int height, int width) {
  const auto lines = [&](std::int64_t along, int to) {
    return scaling_matrix(static_cast<int>(x.size(along)), to).to(x.device(), x.scalar_type());
  };
  return torch::matmul(torch::matmul(lines(kRows, height), x), lines(kColumns, width).t());
}

torch::Tensor depth_to_space(const torch::Tensor& x, const op::DepthToSpace& op) {
  const std::int64_t b = op.block, channels = x.size(1) / op.pixels();
  const bool depth_first = op.order == op::Blocks::Order::depth_column_row;
  const torch::Tensor pieces = depth_first ? x.unflatten(1, {b, b, channels}).permute({0, 3, 4, 1, 5, 2})
                                           : x.unflatten(1, {channels, b, b}).permute({0, 1, 4, 2, 5, 3});
  return pieces.reshape({x.size(0), channels, x.size(kRows) * b, x.size(kColumns) * b});
}

torch::Tensor space_to_depth(const torch::Tensor& x, const op::SpaceToDepth& op) {
  const std::int64_t b = op.block, rows = x.size(kRows) / b, columns = x.size(kColumns) / b;
  const bool depth_first = op.order == op::Blocks::Order::depth_column_row;
  const torch::Tensor pieces = x.reshape({x.size(0), x.size(1), rows, b, columns, b});
  return (depth_first ? pieces.permute({0, 3, 5, 1, 2, 4}) : pieces.permute({0, 1, 3, 5, 2, 4}))
      .flatten(1, 3);
}

torch::Tensor shuffle_channels(const torch::Tensor& x, int groups) {
  return x.unflatten(1, {groups, x.size(1) / groups}).transpose(1, 2).flatten(1, 2);
}

}  // namespace concertina::train
