#include "train/muon.h"

#include <algorithm>
#include <numeric>
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

std::int64_t work_of(const torch::Tensor& matrix) {
  return matrix.numel() * std::min(matrix.size(0), matrix.size(1));
}

/// Which process makes which: the one that has least to do gets the next smaller one.
std::vector<std::size_t> makers_of(const std::vector<torch::Tensor>& matrices, int processes) {
  std::vector<std::size_t> order(matrices.size()), makers(matrices.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return work_of(matrices[a]) > work_of(matrices[b]); });
  std::vector<std::int64_t> work(static_cast<std::size_t>(processes), 0);
  for (const std::size_t i : order) {
    const auto least = std::min_element(work.begin(), work.end());
    *least += work_of(matrices[i]);
    makers[i] = static_cast<std::size_t>(least - work.begin());
  }
  return makers;
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

std::vector<torch::Tensor> orthogonalised(const std::vector<torch::Tensor>& matrices,
                                          const Processes& processes) {
  std::vector<torch::Tensor> results;
  if (matrices.empty()) return results;
  if (processes.alone()) {
    for (const torch::Tensor& matrix : matrices) results.push_back(orthogonalised(matrix));
    return results;
  }
  const std::vector<std::size_t> makers = makers_of(matrices, processes.count());
  std::vector<torch::Tensor> flat;
  for (std::size_t i = 0; i < matrices.size(); ++i) {
    const bool mine = makers[i] == static_cast<std::size_t>(processes.rank());
    flat.push_back((mine ? orthogonalised(matrices[i]) : torch::zeros_like(matrices[i])).flatten());
  }
  const torch::Tensor all = torch::cat(flat);
  processes.sum(all);
  std::int64_t begin = 0;
  for (const torch::Tensor& matrix : matrices) {
    results.push_back(all.narrow(0, begin, matrix.numel()).view(matrix.sizes()));
    begin += matrix.numel();
  }
  return results;
}

torch::Tensor Muon::step(LossClosure) {
  const torch::NoGradGuard no_grad;
  for (auto& group : param_groups()) {
    const auto& options = static_cast<const torch::optim::SGDOptions&>(group.options());
    std::vector<torch::Tensor> weights, ahead;
    for (const torch::Tensor& weight : group.params()) {
      const torch::Tensor& gradient = weight.grad();
      if (!gradient.defined()) continue;
      auto& state = state_[state_key<decltype(state_)::key_type>(weight)];
      if (!state) {
        state = std::make_unique<torch::optim::SGDParamState>();
        static_cast<torch::optim::SGDParamState&>(*state).momentum_buffer(torch::zeros_like(weight));
      }
      torch::Tensor& momentum = static_cast<torch::optim::SGDParamState&>(*state).momentum_buffer();
      momentum.mul_(options.momentum()).add_(gradient);
      weights.push_back(weight);
      ahead.push_back((gradient + options.momentum() * momentum).flatten(1));
    }
    const std::vector<torch::Tensor> directions = orthogonalised(ahead, processes_);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      weights[i].mul_(1 - options.lr() * options.weight_decay());
      weights[i].sub_(options.lr() * directions[i].reshape(weights[i].sizes()));
    }
  }
  return {};
}

}  // namespace concertina::train
