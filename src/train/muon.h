#pragma once

#include <utility>
#include <vector>

#include "train/distributed/processes.h"
#include "train/torch.h"

namespace concertina::train {

/// A matrix with the singular vectors of `matrix` and singular values of about 1 (0.7 to 1.2): five steps of
/// Newton and Schulz, with the coefficients of Jordan (2024). A matrix of zeros stays one.
torch::Tensor orthogonalised(const torch::Tensor& matrix);

/// Of each matrix. Every process has the same ones, makes those of its share, and gets the others'.
std::vector<torch::Tensor> orthogonalised(const std::vector<torch::Tensor>& matrices,
                                          const Processes& processes);

/// Muon (Jordan 2024): a weight [out][in][h][w] takes steps of the size of the learning rate in all
/// directions of its matrix [out][in * h * w], where SGD hardly moves along most of them. The step is the
/// Nesterov momentum, orthogonalised. Weights shrink by `weight_decay` times the learning rate in each step,
/// apart from their gradients. State and options are SGD's, so they are saved as SGD's are. Processes that
/// have the same gradients share the work.
class Muon : public torch::optim::SGD {
 public:
  Muon(std::vector<torch::Tensor> weights, const torch::optim::SGDOptions& options,
       const Processes& processes = {})
      : SGD(std::move(weights), options), processes_(processes) {}

  torch::Tensor step(LossClosure closure = nullptr) override;

 private:
  Processes processes_;
};

}  // namespace concertina::train
