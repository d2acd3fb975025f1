#include "train/supernet/fake_int8.h"

#include <algorithm>
#include <limits>

#include "graph/quantization.h"
#include "kernels/int8_conv.h"

namespace concertina::train {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

class WeightFunction : public torch::autograd::Function<WeightFunction> {
 public:
  static Variable forward(AutogradContext*, const Variable& weight) {
    constexpr float kMost = 127;
    std::vector<std::int64_t> others;
    for (std::int64_t d = 1; d < weight.dim(); ++d) others.push_back(d);
    torch::Tensor scale = weight.abs().amax(others, true) / kMost;
    scale = torch::where(scale >= std::numeric_limits<float>::min(), scale, torch::ones_like(scale));
    torch::Tensor levels = torch::empty_like(weight);  // with its strides, also where a side is 1
    torch::div_out(levels, weight, scale);
    return levels.round_().mul_(scale);
  }
  static variable_list backward(AutogradContext*, const variable_list& gradients) { return gradients; }
};

class InputFunction : public torch::autograd::Function<InputFunction> {
 public:
  static Variable forward(AutogradContext*, const Variable& x, const Quantization& how) {
    const int zero = how.zero_point;
    const torch::Tensor levels = (x.to(torch::kFloat) * (1 / how.scale)).round_().clamp_(-zero, 255 - zero);
    return levels.mul_(how.scale).to(x.scalar_type());
  }
  static variable_list backward(AutogradContext*, const variable_list& gradients) {
    return {gradients[0], {}};
  }
};

/// Of the values of all parts, with 0 among them.
Interval range_of(const torch::Tensor& x, const Processes& sharers) {
  const auto [low, high] = torch::aminmax(x.detach());
  torch::Tensor ends = torch::zeros({sharers.count(), 2}, x.options().dtype(torch::kFloat));
  ends[sharers.rank()][0] = low;
  ends[sharers.rank()][1] = high;
  sharers.sum(ends);
  return {std::min(ends.min().item<float>(), 0.0F), std::max(ends.max().item<float>(), 0.0F)};
}

}  // namespace

bool has_int8_weights(const Op& op) {
  if (const auto* linear = std::get_if<op::Linear>(&op))
    return kernels::can_run_int8({.out_channels = linear->out_features, .in_channels = linear->in_features});
  const auto* conv = std::get_if<op::Conv>(&op);
  return conv != nullptr && kernels::can_run_int8({.groups = conv->groups,
                                                   .out_channels = conv->out_channels / conv->groups,
                                                   .in_channels = conv->in_channels / conv->groups,
                                                   .taps = conv->window.taps()});
}

torch::Tensor fake_int8_weight(const torch::Tensor& weight) {
  return WeightFunction::apply(weight);
}

torch::Tensor fake_int8_input(const torch::Tensor& x, const Processes& sharers) {
  return InputFunction::apply(x, quantization_of(range_of(x, sharers)));
}

}  // namespace concertina::train
