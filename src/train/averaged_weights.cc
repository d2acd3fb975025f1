#include "train/averaged_weights.h"

#include <algorithm>

namespace concertina::train {
namespace {

const std::string kPrefix = "average.";

}  // namespace

AveragedWeights AveragedWeights::start(const Tensors& latest) {
  AveragedWeights weights{.latest = latest, .averaged = {}};
  for (const auto& [name, tensor] : latest) weights.averaged[name] = tensor.detach().clone();
  return weights;
}

void AveragedWeights::update(std::int64_t step) {
  // Short at first, so that the start is forgotten.
  constexpr double kDecay = 0.998;
  const auto done = static_cast<double>(step);
  const double decay = std::min(kDecay, (1 + done) / (10 + done));
  const torch::NoGradGuard no_grad;
  for (auto& [name, average] : averaged) average.lerp_(latest.at(name), 1 - decay);
}

Tensors AveragedWeights::packed() const {
  Tensors packed = latest;
  for (const auto& [name, average] : averaged) packed[kPrefix + name] = average;
  return packed;
}

AveragedWeights AveragedWeights::unpack(const Tensors& packed) {
  AveragedWeights weights;
  for (const auto& [name, tensor] : packed) {
    if (name.starts_with(kPrefix)) {
      weights.averaged[name.substr(kPrefix.size())] = tensor;
    } else {
      weights.latest[name] = tensor;
    }
  }
  if (weights.averaged.empty()) weights.averaged = weights.latest;
  return weights;
}

}  // namespace concertina::train
