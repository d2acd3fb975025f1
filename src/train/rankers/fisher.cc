#include "train/rankers/gradients.h"

namespace concertina::train {

Result<Ranking> fisher_ranking(const Run& run, const Tensors& weights) {
  const auto score = [](const torch::Tensor& weight, const torch::Tensor& gradient) {
    return weight.var() * gradient.square().flatten(1).sum(1);
  };
  // The variance already makes the layers of a dimension comparable.
  return rank_by_gradients(run, weights, score, false);
}

}  // namespace concertina::train
