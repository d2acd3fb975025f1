#pragma once

#include <array>
#include <vector>

#include "base/clock.h"

namespace concertina::control {

/// How much slower runs are now than on the quiet machine: one factor for all sub-nets, so that what one run
/// took corrects the prediction for all (ALERT, Wan et al., ATC 2020), and a small one for each.
///
/// The factor's logarithm is followed by a Kalman filter whose noises are estimated on the way. A run far
/// from the prediction is not believed at once, for runs are interrupted; a second one that agrees with it,
/// or four in a row, move the factor there in one step.
class SlowDown {
 public:
  static constexpr std::size_t kMaxSuspects = 4;  ///< runs until they are believed in any case

  explicit SlowDown(std::size_t subnets) : bias_(subnets, 0.0) {}

  /// What a run of the sub-net takes now over what it takes on the quiet machine; about its median.
  double factor(int subnet) const;

  /// The same without the sub-net's own part.
  double common() const;

  /// The logarithm by which runs differ from the prediction when nothing interrupts them: a standard
  /// deviation.
  double noise() const;

  enum class Verdict {
    usual,    ///< the run was about as long as foretold
    suspect,  ///< it was not; the runs that follow will tell whether it was interrupted or the machine
              ///< changed
    jump,     ///< it and the suspects before it were the first of a changed machine: the factor has moved
  };

  /// A run that ended at `now` took `ratio` times the quiet machine's median. Precondition: ratio positive
  /// and finite.
  Verdict observe(int subnet, double ratio, Time now);

 private:
  void forget(Time now);
  void follow(int subnet, double innovation);
  bool suspect(double innovation) const;
  bool jumps(double level);

  double level_ = 0;        ///< logarithm of the common factor
  double variance_ = 0.01;  ///< of level_
  double run_variance_ = 0.0025;
  std::vector<double> bias_;  ///< logarithms
  std::array<double, kMaxSuspects> suspects_ = {};
  std::size_t suspected_ = 0;
  Time last_{0};
  bool started_ = false;
};

}  // namespace concertina::control
