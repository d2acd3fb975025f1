#pragma once

// For tests: an evaluator whose loss is a formula of the widths and of one shared weight.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <vector>

#include "search/evaluator.h"

namespace concertina::search {

/// The loss of a sub-net, given the shared weight: 1 at the start, smaller after each fine-tuning.
using FakeLoss = std::function<double(const Subnet&, double weight)>;

/// The accuracy is linear in the loss.
class FakeEvaluator final : public Evaluator {
 public:
  /// Weights by version. It outlives a "killed" evaluator as a disk does.
  using Disk = std::map<int, double>;

  FakeEvaluator(FakeLoss loss, Disk& disk) : loss_(std::move(loss)), disk_(disk) {
    disk_.try_emplace(0, 1.0);
  }

  /// The n-th call from now on fails, and all after it: as if the process were killed. A killed fine_tune()
  /// has already stored its weights.
  void die_at_call(int n) { calls_left_ = n - 1; }

  void expect(std::span<const Subnet> subnets) override {
    expected_.assign(subnets.begin(), subnets.end());
    announced += static_cast<int>(subnets.size());
  }
  Result<Evaluation> evaluate(const Subnet& subnet) override {
    if (dies()) return Error{"killed"};
    if (expected_.empty() || expected_.front() != subnet) ++surprises;
    if (!expected_.empty()) expected_.erase(expected_.begin());
    ++evaluations;
    spent_ += {1, static_cast<double>(subnet.widths[0])};
    const double loss = loss_(subnet, weight_);
    return Evaluation{loss, std::max(0.0, 1 - loss / 4)};
  }
  Result<Evaluation> fine_tune(const Subnet& subnet, double, int version) override {
    ++fine_tunings;
    weight_ = disk_[version] = 0.5 * weight_ + 0.01 * subnet.widths[0];
    return evaluate(subnet);
  }
  Status restore(int version) override {
    if (dies()) return Error{"killed"};
    if (!disk_.contains(version)) return Error{fmt::format("there are no weights {}", version)};
    weight_ = disk_[version];
    return {};
  }

  Spending spent() const override { return spent_; }

  int calls = 0;
  int evaluations = 0;
  int fine_tunings = 0;
  int announced = 0;  ///< sub-nets that were to be expected
  int surprises = 0;  ///< evaluations of sub-nets that were not next

 private:
  bool dies() {
    ++calls;
    return calls_left_-- <= 0;
  }

  FakeLoss loss_;
  Disk& disk_;
  double weight_ = NAN;  // until restore()
  std::vector<Subnet> expected_;
  Spending spent_;
  int calls_left_ = 1'000'000'000;
};

/// Falls smoothly from the full widths on; a dimension's share grows as it empties and with its index.
inline FakeLoss smooth_loss(const Subnet& full) {
  return [full](const Subnet& subnet, double weight) {
    double loss = 0.05;
    for (std::size_t d = 0; d < full.widths.size(); ++d) {
      const double removed = 1.0 - static_cast<double>(subnet.widths[d]) / full.widths[d];
      loss += weight * (0.02 + 0.007 * static_cast<double>(d * 5 % 7)) * removed * removed / (1.1 - removed);
    }
    return loss;
  };
}

}  // namespace concertina::search
