#include "train/rankers/gradients.h"

namespace concertina::train {

Result<Ranking> taylor_ranking(const Run& run, const Tensors& weights) {
  const auto score = [](const torch::Tensor& weight, const torch::Tensor& gradient) {
    return (weight * gradient).flatten(1).sum(1).abs();
  };
  return rank_by_gradients(run, weights, score, true);
}

}  // namespace concertina::train
