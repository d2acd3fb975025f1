#include "train/supernet/batch_norm.h"

#include <algorithm>
#include <cmath>

#include "kernels/training/batch_norm.h"
#include "train/supernet/joined_norm.h"
#include "train/supernet/tensor_ops.h"

namespace concertina::train {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

/// A channels-last map as the kernels see it.
kernels::TrainingMap training_map(const torch::Tensor& x) {
  return {.pixels = x.numel() / x.size(1),
          .channels = static_cast<int>(x.size(1)),
          .element = x.scalar_type() == torch::kBFloat16 ? kernels::Element::bf16 : kernels::Element::fp32};
}

/// One value of an fp32 tensor [channels].
float& at(const torch::Tensor& values, std::int64_t channel) {
  return values.data_ptr<float>()[channel];
}

/// Calls body(first pixel, run of pixels, thread) once for each thread.
template <typename Body>
void for_threads(const kernels::TrainingMap& map, const Body& body) {
  const std::int64_t threads = at::get_num_threads();
  at::parallel_for(0, threads, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t t = begin; t < end; ++t) {
      const std::int64_t first = map.pixels * t / threads;
      kernels::TrainingMap part = map;
      part.pixels = map.pixels * (t + 1) / threads - first;
      body(first, part, t);
    }
  });
}

void* at_pixel(const torch::Tensor& map, std::int64_t pixel) {
  return static_cast<char*>(map.data_ptr()) + pixel * map.size(1) * map.element_size();
}

/// One row of sums for each thread.
torch::Tensor partial_sums(std::int64_t channels) {
  return torch::empty({at::get_num_threads(), channels});
}

/// The sum over threads of one channel's sums.
double total(const torch::Tensor& partial, std::int64_t channel) {
  double sum = 0;
  for (std::int64_t t = 0; t < partial.size(0); ++t) {
    sum += partial.data_ptr<float>()[t * partial.size(1) + channel];
  }
  return sum;
}

torch::Tensor map_like(const torch::Tensor& x, const MapMemory& memory) {
  return x.dim() == 4 ? empty_map(memory, x.sizes(), x.scalar_type()) : torch::empty_like(x);
}

/// What the backward pass needs besides tensors.
struct NormState : torch::CustomClassHolder {
  MapMemory memory;
  bool has_residual = false;
};

class BatchNormFunction : public torch::autograd::Function<BatchNormFunction> {
 public:
  /// residual: without elements if there is none.
  static variable_list forward(AutogradContext* context, const Variable& input, const Variable& scale,
                               const Variable& shift, const Variable& residual, double epsilon, bool relu,
                               const ChannelMoments& given, const MapMemory& memory,
                               const Processes& processes) {
    const torch::Tensor x = channels_last(input);
    const kernels::TrainingMap map = training_map(x);
    const std::int64_t channels = map.channels;
    const ChannelMoments here = given.mean.defined() ? given : find_moments(x);
    const torch::Tensor moments = torch::stack({here.mean, here.variance}).to(torch::kDouble);
    const double *means = moments.data_ptr<double>(), *variances = means + channels;
    const double n = join_moments(moments, static_cast<double>(map.pixels), processes);
    const torch::Tensor mean = torch::empty({channels}), inverse = torch::empty({channels}),
                        unbiased = torch::empty({channels}), factor = torch::empty({channels}),
                        constant = torch::empty({channels});
    for (std::int64_t c = 0; c < channels; ++c) {
      at(mean, c) = static_cast<float>(means[c]);
      at(unbiased, c) = static_cast<float>(variances[c] * (n / std::max(n - 1, 1.0)));
      at(inverse, c) = static_cast<float>(1 / std::sqrt(variances[c] + epsilon));
      at(factor, c) = at(scale, c) * at(inverse, c);
      at(constant, c) = at(shift, c) - at(mean, c) * at(factor, c);
    }
    auto state = c10::make_intrusive<NormState>();
    state->memory = memory;
    state->has_residual = residual.numel() > 0;
    const torch::Tensor r = state->has_residual ? channels_last(residual) : torch::Tensor();
    const torch::Tensor y = map_like(x, memory);
    for_threads(map, [&](std::int64_t first, const kernels::TrainingMap& part, std::int64_t) {
      kernels::apply_norm({.map = part,
                           .x = at_pixel(x, first),
                           .residual = r.defined() ? at_pixel(r, first) : nullptr,
                           .scale = factor.data_ptr<float>(),
                           .shift = constant.data_ptr<float>(),
                           .relu = relu,
                           .y = at_pixel(y, first)});
    });
    keep_processes(processes, context);
    context->saved_data["n"] = n;
    context->save_for_backward({x, relu ? y : torch::Tensor(), scale, mean, inverse});
    context->saved_data["state"] = c10::IValue::make_capsule(std::move(state));
    context->mark_non_differentiable({mean, unbiased});
    return {y, mean, unbiased};
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const torch::Tensor &x = saved[0], &scale = saved[2], &mean = saved[3], &inverse = saved[4];
    torch::Tensor y = saved[1], dy = channels_last(gradients[0]);
    const auto holder = context->saved_data["state"].toCapsule();
    const auto& state = static_cast<const NormState&>(*holder);
    const kernels::TrainingMap map = training_map(x);
    const std::int64_t channels = map.channels;
    const torch::Tensor sums = partial_sums(channels), products = partial_sums(channels);
    // What the residual's gradient is, too, if ReLU held some of it back.
    const torch::Tensor g = state.has_residual && y.defined() ? map_like(x, state.memory) : torch::Tensor();
    const auto place = [](const torch::Tensor& of, std::int64_t pixel) {
      return of.defined() ? at_pixel(of, pixel) : nullptr;
    };
    for_threads(map, [&](std::int64_t first, const kernels::TrainingMap& part, std::int64_t thread) {
      kernels::gradient_moments({.map = part,
                                 .x = at_pixel(x, first),
                                 .y = place(y, first),
                                 .dy = at_pixel(dy, first),
                                 .mean = mean.data_ptr<float>(),
                                 .sums = sums.data_ptr<float>() + thread * channels,
                                 .products = products.data_ptr<float>() + thread * channels,
                                 .g = place(g, first)});
    });
    if (g.defined()) {
      dy = g;
      y = torch::Tensor();
    }
    const torch::Tensor all = torch::empty({2, channels}, torch::kDouble);
    double *all_sums = all.data_ptr<double>(), *all_products = all_sums + channels;
    const torch::Tensor scale_gradient = torch::empty({channels}), shift_gradient = torch::empty({channels}),
                        factor = torch::empty({channels}), of_input = torch::empty({channels}),
                        constant = torch::empty({channels});
    for (std::int64_t c = 0; c < channels; ++c) {
      all_sums[c] = total(sums, c);
      all_products[c] = total(products, c) * at(inverse, c);
      at(shift_gradient, c) = static_cast<float>(all_sums[c]);
      at(scale_gradient, c) = static_cast<float>(all_products[c]);
    }
    kept_processes(context).sum(all);
    const double n = context->saved_data["n"].toDouble();
    // dx = factor * (g - mean(g) - (x - mean) * inverse * mean(g * (x - mean) * inverse))
    for (std::int64_t c = 0; c < channels; ++c) {
      const double sum = all_sums[c], product = all_products[c];
      at(factor, c) = at(scale, c) * at(inverse, c);
      at(of_input, c) = static_cast<float>(-at(factor, c) * at(inverse, c) * product / n);
      at(constant, c) = static_cast<float>(-at(factor, c) * sum / n - at(of_input, c) * at(mean, c));
    }
    const torch::Tensor dx = map_like(x, state.memory);
    for_threads(map, [&](std::int64_t first, const kernels::TrainingMap& part, std::int64_t) {
      kernels::input_gradient({.map = part,
                               .x = at_pixel(x, first),
                               .y = place(y, first),
                               .dy = at_pixel(dy, first),
                               .of_gradient = factor.data_ptr<float>(),
                               .of_input = of_input.data_ptr<float>(),
                               .constant = constant.data_ptr<float>(),
                               .dx = at_pixel(dx, first)});
    });
    const torch::Tensor residual_gradient = state.has_residual ? dy : torch::Tensor();
    return {dx, scale_gradient, shift_gradient, residual_gradient, {}, {}, {}, {}, {}};
  }
};

}  // namespace

ChannelMoments find_moments(const torch::Tensor& input) {
  const torch::Tensor x = channels_last(input);
  const kernels::TrainingMap map = training_map(x);
  const std::int64_t channels = map.channels;
  const torch::Tensor origin =
      (x.dim() == 4 ? x.select(0, 0).flatten(1).select(1, 0) : x.select(0, 0)).to(torch::kFloat).contiguous();
  const torch::Tensor sums = partial_sums(channels), squares = partial_sums(channels);
  for_threads(map, [&](std::int64_t first, const kernels::TrainingMap& part, std::int64_t thread) {
    kernels::moments({.map = part,
                      .x = at_pixel(x, first),
                      .origin = origin.data_ptr<float>(),
                      .sums = sums.data_ptr<float>() + thread * channels,
                      .squares = squares.data_ptr<float>() + thread * channels});
  });
  const auto n = static_cast<double>(map.pixels);
  const ChannelMoments moments{torch::empty({channels}), torch::empty({channels})};
  for (std::int64_t c = 0; c < channels; ++c) {
    const double offset = total(sums, c) / n;
    at(moments.mean, c) = static_cast<float>(at(origin, c) + offset);
    at(moments.variance, c) = static_cast<float>(std::max(total(squares, c) / n - offset * offset, 0.0));
  }
  return moments;
}

BatchNormOutput batch_norm(const BatchNormInput& input, const MapMemory& memory, const Processes& processes) {
  const auto& [x, scale, shift, epsilon, residual, relu, moments] = input;
  if (x.device().is_cpu()) {
    const variable_list outputs = BatchNormFunction::apply(x, scale.contiguous(), shift.contiguous(),
                                                           residual.defined() ? residual : torch::empty({0}),
                                                           epsilon, relu, moments, memory, processes);
    return {outputs[0], outputs[1], outputs[2]};
  }
  const bool at_once = relu && !residual.defined();
  BatchNormOutput output;
  if (processes.alone()) {
    // With momentum 1 the running statistics become those of this batch.
    const torch::Tensor mean = torch::zeros_like(scale), variance = torch::ones_like(scale);
    const torch::Tensor y = torch::batch_norm(x, scale, shift, mean, variance, true, 1, epsilon, false);
    output = {at_once ? torch::relu(y) : y, mean, variance};
  } else {
    output = joined_batch_norm(x, scale, shift, epsilon, at_once, processes);
  }
  if (!residual.defined()) return output;
  output.y = output.y + residual;
  if (relu) output.y = torch::relu(output.y);
  return output;
}

}  // namespace concertina::train
