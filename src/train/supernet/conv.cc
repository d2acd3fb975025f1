#include "train/supernet/conv.h"

#include "kernels/training/conv.h"
#include "train/supernet/tensor_ops.h"

namespace concertina::train {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

void in_parallel(int count, const std::function<void(int)>& body) {
  at::parallel_for(0, count, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) body(static_cast<int>(i));
  });
}

const kernels::TrainingUnit* unit_for(torch::Dtype dtype) {
  if (dtype == torch::kBFloat16) {
    if (const auto* unit = kernels::training_amx_unit()) return unit;
    if (const auto* unit = kernels::training_avx512_bf16_unit()) return unit;
  }
  return &kernels::training_fp32_unit();
}

/// What the backward pass needs besides tensors.
struct ConvState : torch::CustomClassHolder {
  kernels::TrainingConv conv;
  MapMemory memory;
};

kernels::TrainingConv training_conv(const torch::Tensor& x, const op::Conv& conv, std::int64_t groups,
                                    std::int64_t outputs) {
  const Window& w = conv.window;
  const int in_h = static_cast<int>(x.size(2)), in_w = static_cast<int>(x.size(3));
  const auto outside = [](int in, int padding, int extent, int stride) {
    return (in + padding - extent) / stride + 1;
  };
  return {.window = {.in_h = in_h,
                     .in_w = in_w,
                     .out_h = outside(in_h, w.pad_top + w.pad_bottom, w.extent_h(), w.stride_h),
                     .out_w = outside(in_w, w.pad_left + w.pad_right, w.extent_w(), w.stride_w),
                     .kernel_h = w.kernel_h,
                     .kernel_w = w.kernel_w,
                     .stride_h = w.stride_h,
                     .stride_w = w.stride_w,
                     .pad_top = w.pad_top,
                     .pad_left = w.pad_left,
                     .dilation_h = w.dilation_h,
                     .dilation_w = w.dilation_w},
          .images = static_cast<int>(x.size(0)),
          .groups = static_cast<int>(groups),
          .in_channels = static_cast<int>(x.size(1) / groups),
          .out_channels = static_cast<int>(outputs / groups),
          .element = x.scalar_type() == torch::kBFloat16 ? kernels::Element::bf16 : kernels::Element::fp32,
          .unit = unit_for(x.scalar_type())};
}

/// The array as the kernels see it: its taps lie evenly.
template <typename T>
kernels::FilterPart<T> filter_part(const torch::Tensor& weight) {
  return {weight.data_ptr<float>(), weight.stride(0), weight.stride(1), weight.stride(3)};
}

class ConvFunction : public torch::autograd::Function<ConvFunction> {
 public:
  static variable_list forward(AutogradContext* context, const Variable& input, const Variable& weight,
                               const Variable& bias, const op::Conv& conv, std::int64_t groups,
                               std::int64_t outputs, bool moments, const MapMemory& memory) {
    const torch::Tensor x = channels_last(input);
    auto state = c10::make_intrusive<ConvState>();
    state->conv = training_conv(x, conv, groups, outputs);
    state->memory = memory;
    const torch::Tensor y = empty_map(
        memory, {x.size(0), outputs, state->conv.window.out_h, state->conv.window.out_w}, x.scalar_type());
    const torch::Tensor mean = moments ? torch::empty({outputs}) : torch::Tensor(),
                        variance = moments ? torch::empty({outputs}) : torch::Tensor();
    kernels::conv_forward({.conv = state->conv,
                           .x = x.data_ptr(),
                           .filter = filter_part<const float>(weight),
                           .bias = bias.numel() > 0 ? bias.data_ptr<float>() : nullptr,
                           .y = y.data_ptr(),
                           .mean = moments ? mean.data_ptr<float>() : nullptr,
                           .variance = moments ? variance.data_ptr<float>() : nullptr},
                          *memory, in_parallel);
    context->save_for_backward({x, weight});
    context->saved_data["state"] = c10::IValue::make_capsule(std::move(state));
    if (!moments) return {y};
    context->mark_non_differentiable({mean, variance});
    return {y, mean, variance};
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const torch::Tensor &x = saved[0], &weight = saved[1];
    const auto holder = context->saved_data["state"].toCapsule();
    const auto& state = static_cast<const ConvState&>(*holder);
    const torch::Tensor dy = channels_last(gradients[0]);
    torch::Tensor dx, dw, db;
    if (context->needs_input_grad(0)) {
      dx = empty_map(state.memory, x.sizes(), x.scalar_type());
      kernels::conv_input_gradient({.conv = state.conv,
                                    .dy = dy.data_ptr(),
                                    .filter = filter_part<const float>(weight),
                                    .dx = dx.data_ptr()},
                                   *state.memory, in_parallel);
    }
    if (context->needs_input_grad(1)) dw = weight_gradient(x, weight, dy, state);
    if (context->needs_input_grad(2)) db = dy.sum({0, 2, 3}, false, torch::kFloat);
    return {dx, dw, db, {}, {}, {}, {}, {}};
  }

 private:
  /// Undefined if it has been added where the leaf keeps it.
  static torch::Tensor weight_gradient(const torch::Tensor& x, const torch::Tensor& weight,
                                       const torch::Tensor& dy, const ConvState& state) {
    const bool in_place = weight.is_leaf();
    torch::Tensor gradient;
    if (in_place) {
      torch::Tensor leaf = weight;
      if (!leaf.grad().defined()) leaf.mutable_grad() = torch::zeros_like(weight);
      gradient = leaf.grad();
    } else {
      gradient = torch::zeros_like(weight);
    }
    kernels::conv_filter_gradient({.conv = state.conv,
                                   .x = x.data_ptr(),
                                   .dy = dy.data_ptr(),
                                   .gradient = filter_part<float>(gradient)},
                                  *state.memory, in_parallel);
    return in_place ? torch::Tensor() : gradient;
  }
};

}  // namespace

bool has_own_kernels(const op::Conv& conv) {
  constexpr int kLeastInGroup = 8;
  const bool wide = conv.groups == 1 || conv.in_channels / conv.groups >= kLeastInGroup;
  const bool depthwise = conv.groups == conv.in_channels && conv.out_channels == conv.groups;
  return !conv.transposed() && (wide || depthwise);
}

std::string own_unit(torch::Dtype dtype) {
  return unit_for(dtype)->name;
}

std::vector<std::string> convolutions_of_libtorch(const Graph& graph) {
  std::vector<std::string> names;
  for (const Node& node : graph.nodes()) {
    const auto* conv = std::get_if<op::Conv>(&node.op);
    if (conv && !has_own_kernels(*conv)) names.push_back(node.name);
  }
  return names;
}

ConvOutput conv(const torch::Tensor& x, const ConvPrefix& prefix, const op::Conv& conv, std::int64_t groups,
                bool moments, const MapMemory& memory) {
  const torch::Tensor bias = prefix.bias.defined() ? prefix.bias.contiguous() : torch::empty({0});
  const variable_list outputs =
      ConvFunction::apply(x, prefix.weight, bias, conv, groups, prefix.outputs, moments, memory);
  return moments ? ConvOutput{outputs[0], {outputs[1], outputs[2]}} : ConvOutput{outputs[0], {}};
}

}  // namespace concertina::train
