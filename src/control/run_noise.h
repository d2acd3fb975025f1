#pragma once

#include <array>
#include <cstddef>

namespace concertina::control {

/// How runs scatter about what they are expected to take, learned from runs, old ones being forgotten. Two
/// kinds: a factor on the run, and interruptions, which come at a rate for each millisecond of a run and add
/// a time that has nothing to do with the run's own.
class RunNoise {
 public:
  /// A run that was expected to take `expected` ms took `took`; `noise` is the standard deviation of the
  /// logarithm of a run that nothing interrupts, `weight` how many runs this one stands for. Preconditions:
  /// positive and finite.
  void observe(double expected, double took, double noise, double weight = 1);

  /// The probability that a run expected to take `expected` ms takes at most `limit`. Does not search.
  double within(double expected, double limit) const;

  /// The least limit for which within() is at least `probability`; infinite if there is none. `hint` speeds
  /// up the search: what it was left at for a similar run, at first 0.
  double needed(double expected, double probability, int& hint) const;

  /// Has what within() looks at brought near.
  void prefetch() const;

  /// What interruptions add to each millisecond of a run, on average.
  double interrupted_share() const;

 private:
  static constexpr std::size_t kFactors = 128;  ///< bins of a factor's logarithm
  static constexpr std::size_t kDelays = 96;    ///< bins of an interruption's logarithm

  void forget(double weight);
  void sum_up();
  double factor_within(double ratio) const;
  double factor_needed(double share) const;

  std::array<float, kFactors> factors_ = {};
  std::array<float, kDelays> delays_ = {};
  double run_ms_ = 0;      ///< of runs in delays_
  double delayed_ms_ = 0;  ///< that interruptions took
  // What is asked for, made when a run is observed.
  alignas(64) std::array<float, kFactors> factor_within_ = {};  ///< the share of runs up to each bin's end
  std::array<float, kDelays> delay_rate_ = {};  ///< interruptions a ms that are longer than each bin's start
};

}  // namespace concertina::control
