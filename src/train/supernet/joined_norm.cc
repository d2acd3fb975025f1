#include "train/supernet/joined_norm.h"

namespace concertina::train {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

constexpr const char* kProcesses = "processes";

struct Holder final : torch::CustomClassHolder {
  explicit Holder(const Processes& held) : processes(held) {}
  Processes processes;
};

/// The sum over processes. Every process's loss depends on it, so its gradient is a sum, too.
class JointSum : public torch::autograd::Function<JointSum> {
 public:
  static Variable forward(AutogradContext* context, const Variable& part, const Processes& processes) {
    keep_processes(processes, context);
    const torch::Tensor sum = part.clone();
    processes.sum(sum);
    return sum;
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const torch::Tensor sum = gradients[0].clone();
    kept_processes(context).sum(sum);
    return {sum, {}};
  }
};

}  // namespace

double join_moments(const torch::Tensor& moments, double n, const Processes& processes) {
  if (processes.alone()) return n;
  const torch::Tensor means = moments[0], variances = moments[1];
  const torch::Tensor sums =
      torch::cat({n * means, n * (variances + means.square()), torch::full({1}, n, torch::kDouble)});
  processes.sum(sums);
  const std::int64_t channels = means.size(0);
  const auto all = sums[2 * channels].item<double>();
  means.copy_(sums.narrow(0, 0, channels) / all);
  variances.copy_((sums.narrow(0, channels, channels) / all - means.square()).clamp_min(0));
  return all;
}

void keep_processes(const Processes& processes, AutogradContext* context) {
  if (!processes.alone())
    context->saved_data[kProcesses] = c10::IValue::make_capsule(c10::make_intrusive<Holder>(processes));
}

Processes kept_processes(AutogradContext* context) {
  const auto found = context->saved_data.find(kProcesses);
  if (found == context->saved_data.end()) return {};
  return static_cast<const Holder&>(*found->second.toCapsule()).processes;
}

BatchNormOutput joined_batch_norm(const torch::Tensor& x, const torch::Tensor& scale,
                                  const torch::Tensor& shift, double epsilon, bool relu,
                                  const Processes& processes) {
  const torch::Tensor values = x.to(torch::kFloat).transpose(0, 1).flatten(1);  // [c][n]
  const torch::Tensor size = torch::full({1}, static_cast<double>(values.size(1)), values.options());
  const auto joint = [&](const torch::Tensor& sums) { return JointSum::apply(sums, processes); };
  const torch::Tensor n = joint(size);
  const torch::Tensor mean = joint(values.sum(1)) / n;
  const torch::Tensor centred = values - mean.unsqueeze(1);
  const torch::Tensor variance = joint(centred.square().sum(1)) / n;
  const torch::Tensor normal = centred * torch::rsqrt(variance + epsilon).unsqueeze(1);
  std::vector<std::int64_t> turned = x.transpose(0, 1).sizes().vec();
  torch::Tensor y = (normal * scale.unsqueeze(1) + shift.unsqueeze(1)).view(turned).transpose(0, 1);
  y = y.to(x.scalar_type());
  return {relu ? torch::relu(y) : y, mean.detach(), (variance * n / (n - 1).clamp_min(1)).detach()};
}

}  // namespace concertina::train
