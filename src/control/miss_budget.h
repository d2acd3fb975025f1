#pragma once

namespace concertina::control {

/// How much risk decisions may take so that the measured share of late answers becomes the one that was asked
/// for, though predictions are never quite right: after each late answer less, after each in time a little
/// more (adaptive conformal inference: Gibbs, Candes, NeurIPS 2021). The sum of all steps is bounded, so over
/// n requests the measured share differs from the wanted one by no more than a constant over n.
class MissBudget {
 public:
  /// The probability of being late that a decision may accept, for a request that wants a share `quantile` of
  /// answers in time.
  double risk(double quantile) const;

  /// A request is done. `refused`: a better sub-net was not taken because of its risk; only then does an
  /// answer in time speak for more risk.
  void observe(double quantile, bool late, bool refused);

 private:
  double correction_ = 0;  ///< logarithm
  double multiplier_ = 1;  ///< what it is the logarithm of
};

}  // namespace concertina::control
