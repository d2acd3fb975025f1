#pragma once

#include <map>
#include <span>
#include <vector>

#include "search/evaluator.h"
#include "train/run.h"
#include "train/search/activation_cache.h"
#include "train/supernet/supernet.h"

namespace concertina::train {

/// Evaluates sub-nets on the run's validation images and fine-tunes them on its training images. Of several
/// processes each evaluates a sub-net of its own, so that the results are those of one process; all make the
/// same calls and get the same results.
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
  void expect(std::span<const Subnet> subnets) override;
  search::Spending spent() const override { return spent_; }

 private:
  TorchEvaluator(const Run& run, Supernet net, int images);

  std::filesystem::path weights_file(int version) const;
  search::Spending cost(const Subnet& subnet) const;
  /// evaluate() of this process.
  Result<search::Evaluation> measure(const Subnet& subnet) const;
  /// evaluate() of this sub-net and, by the other processes, of those that are expected after it.
  Status measure_with_next(const Subnet& subnet);
  /// The weights have changed.
  void forget();

  const Run& run_;
  Supernet net_;
  std::span<const std::int64_t> validation_;
  std::span<const std::int64_t> norm_images_;
  ActivationCache cache_;
  std::vector<Subnet> expected_;                   ///< in the order in which they will be asked for
  std::map<Subnet, search::Evaluation> measured_;  ///< of several processes
  search::Spending spent_;
};

}  // namespace concertina::train
