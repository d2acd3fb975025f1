#pragma once

#include <optional>

#include "base/clock.h"

namespace concertina::supervisor {

/// When a signal is too high, when it is well again, and what is done about it.
struct Thresholds {
  double enter = 0;   ///< too high from here on
  double leave = 0;   ///< well again down here; below `enter` by the margin
  Time dwell{0};      ///< how long it must be well before one step back is taken
  double share = 1;   ///< of the largest sub-net's cost that is allowed once it is too high, above 0, up to 1
  double deeper = 1;  ///< and this part of that for each further step, above 0; 1: there are none
  Time deepen_after{0};  ///< a further step is taken each time it has been too high for so long
};

/// One signal's verdict: down at once, up one step at a time, each after the signal has been well for the
/// dwell time without a break. Between the thresholds, and without a signal, nothing changes.
///
/// A signal that answers to what runs, as heat does, would otherwise be tried again and again: a step back
/// that has to be undone within ten dwell times doubles the wait for the next ones, up to sixteen times.
class Hysteresis {
 public:
  /// No step is taken below the share `floor`. A signal that has been missing for `forget` counts as well.
  Hysteresis(const Thresholds& thresholds, double floor, Time forget)
      : thresholds_(thresholds), floor_(floor), forget_(forget) {}

  /// The signal is `value`, `elapsed` after the last update. Precondition: elapsed is not negative.
  void update(Time elapsed, std::optional<double> value);

  bool active() const { return steps_ > 0; }
  double share() const;  ///< 1 if not active
  /// How long the signal has been well, of an active one that waits for its next step back.
  std::optional<Time> well_for() const { return active() ? well_for_ : std::nullopt; }
  Time dwell() const { return patience_ * thresholds_.dwell; }  ///< how long it must be well at present
  const Thresholds& thresholds() const { return thresholds_; }

 private:
  void too_high(Time elapsed);
  void well(Time elapsed);
  void step_down();

  Thresholds thresholds_;
  double floor_;
  Time forget_;
  int steps_ = 0;
  int patience_ = 1;
  Time missing_for_{0};
  std::optional<Time> since_back_;  ///< the last step back
  std::optional<Time> high_for_;
  std::optional<Time> well_for_;
};

}  // namespace concertina::supervisor
