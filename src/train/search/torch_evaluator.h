#pragma once

#include "search/evaluator.h"
#include "train/run.h"
#include "train/search/activation_cache.h"
#include "train/supernet/supernet.h"

namespace concertina::train {

/// Evaluates sub-nets on the run's validation images and fine-tunes them on its training images.
class TorchEvaluator final : public search::Evaluator {
 public:
  /// Starts from the ranked weights. `images`: how many validation images an evaluation takes.
  static Result<TorchEvaluator> make(const Run& run, int images);

  /// Starts from other weights; restore() knows only those of the search.
  static Result<TorchEvaluator> make(const Run& run, const Tensors& weights, int images);

  Result<search::Evaluation> evaluate(const Subnet& subnet) override;
  Result<search::Evaluation> fine_tune(const Subnet& subnet, double target_accuracy, int version) override;
  Status restore(int version) override;
  Status expect_neighbours(const Subnet& subnet, int count) override;
  search::Spending spent() const override { return spent_; }

 private:
  TorchEvaluator(const Run& run, Supernet net, int images);

  std::filesystem::path weights_file(int version) const;

  const Run& run_;
  Supernet net_;
  std::span<const std::int64_t> validation_;
  std::span<const std::int64_t> norm_images_;
  ActivationCache cache_;
  search::Spending spent_;
};

}  // namespace concertina::train
