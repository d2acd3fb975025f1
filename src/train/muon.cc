#include "train/muon.h"

#include <type_traits>

namespace concertina::train {
namespace {

/// What an optimizer of LibTorch finds a weight's state by: a pointer, before 2.0 its text.
template <typename Key>
Key state_key(const torch::Tensor& weight) {
  if constexpr (std::is_pointer_v<Key>) {
    return weight.unsafeGetTensorImpl();
  } else {
    return c10::str(weight.unsafeGetTensorImpl());
  }
}

}  // namespace

torch::Tensor orthogonalised(const torch::Tensor& matrix) {
  constexpr double kA = 3.4445, kB = -4.7750, kC = 2.0315;
  constexpr int kSteps = 5;
  const bool tall = matrix.size(0) > matrix.size(1);
  torch::Tensor x = tall ? matrix.t() : matrix;
  x = x / (x.norm() + 1e-12);
  for (int i = 0; i < kSteps; ++i) {
    const torch::Tensor square = x.mm(x.t());
    x = kA * x + (kB * square + kC * square.mm(square)).mm(x);
  }
  return tall ? x.t() : x;
}

torch::Tensor Muon::step(LossClosure) {
  const torch::NoGradGuard no_grad;
  for (auto& group : param_groups()) {
    const auto& options = static_cast<const torch::optim::SGDOptions&>(group.options());
    for (torch::Tensor& weight : group.params()) {
      const torch::Tensor& gradient = weight.grad();
      if (!gradient.defined()) continue;
      auto& state = state_[state_key<decltype(state_)::key_type>(weight)];
      if (!state) {
        state = std::make_unique<torch::optim::SGDParamState>();
        static_cast<torch::optim::SGDParamState&>(*state).momentum_buffer(torch::zeros_like(weight));
      }
      torch::Tensor& momentum = static_cast<torch::optim::SGDParamState&>(*state).momentum_buffer();
      momentum.mul_(options.momentum()).add_(gradient);
      const torch::Tensor ahead = gradient + options.momentum() * momentum;
      weight.mul_(1 - options.lr() * options.weight_decay());
      weight.sub_(options.lr() * orthogonalised(ahead.flatten(1)).reshape(weight.sizes()));
    }
  }
  return {};
}

}  // namespace concertina::train
