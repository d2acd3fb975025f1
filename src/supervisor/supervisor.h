#pragma once

#include <optional>
#include <string>
#include <vector>

#include "concertina/machine_state.h"
#include "supervisor/hysteresis.h"
#include "supervisor/meter.h"

namespace concertina::supervisor {

/// Defaults are for samples every 100 to 500 ms. docs/supervisor.md says where they come from.
struct SupervisorOptions {
  MeterOptions meter = {};
  /// MachineState::busy: the share of its time for which the process waits for a processor; while it is idle,
  /// and where that is not shown, the share of the time in which any task does.
  Thresholds pressure = {.enter = 0.4,
                         .leave = 0.2,
                         .dwell = from_ms(3000),
                         .share = 0.75,
                         .deeper = 0.75,
                         .deepen_after = from_ms(2000)};
  /// throttled: the share of the quota's periods in which it did not suffice.
  Thresholds throttling = {.enter = 0.2,
                           .leave = 0.05,
                           .dwell = from_ms(5000),
                           .share = 0.75,
                           .deeper = 0.75,
                           .deepen_after = from_ms(1000)};
  /// hot: degrees above Heat::limit.
  Thresholds heat = {.enter = 0,
                     .leave = -5,
                     .dwell = from_ms(10'000),
                     .share = 0.75,
                     .deeper = 0.75,
                     .deepen_after = from_ms(5000)};
  /// saving: the share of the highest frequency that is not allowed.
  Thresholds slowed = {.enter = 0.25, .leave = 0.15, .dwell = from_ms(5000), .share = 0.75};
  /// saving: 1 if somebody says that power is to be saved, 0 else.
  Thresholds told = {.enter = 1, .leave = 0, .dwell = from_ms(5000), .share = 0.5};
  /// saving: watts of the processors. Nothing: they may take any.
  std::optional<Thresholds> watts = {};
  /// Samples further apart than this tell nothing of the time between them: the machine was asleep.
  Time longest_gap = from_ms(5000);
  /// A signal that has been missing for so long is taken to be well.
  Time forget = from_ms(30'000);
};

struct Advice {
  MachineState state = MachineState::normal;  ///< the worst of all that holds
  int largest = 0;   ///< the largest sub-net that may run: those before it cost more than `share`
  double share = 1;  ///< of the largest sub-net's cost; the smallest sub-net is allowed with any
  std::string why;   ///< one sentence with the figures
  Measured measured;
};

/// Watches a machine and says how large sub-nets may be: smaller at once when a signal is too high, and step
/// by step while it stays so; larger again one step at a time. It reads no clock and no file; equal samples
/// give equal advice.
class Supervisor {
 public:
  /// `costs` of the sub-nets, from the largest on, in any unit. Preconditions: not empty, each positive and
  /// finite; in the options each `leave` below its `enter`.
  explicit Supervisor(std::vector<double> costs, const SupervisorOptions& options = {});

  /// What the machine shows at a moment. If the clock goes back, stands still or jumps, times that things
  /// have lasted do not grow, and rates start anew after a jump.
  Advice advise(Time now, const Signals& signals);

  /// What lies between the last sample and the next is not known, as after a jump of the clock. Needed where
  /// advise() has thrown std::bad_alloc.
  void restart();

 private:
  /// One reason to run smaller sub-nets.
  struct Cause {
    MachineState state;
    Hysteresis verdict;
    std::optional<double> (*value)(const Measured& measured);
    std::string (*say)(const Measured& measured, const Thresholds& thresholds);
  };

  void add_cause(MachineState state, const Thresholds& thresholds, decltype(Cause::value) value,
                 decltype(Cause::say) say);
  Time elapsed_until(Time now);
  int largest_within(double share) const;

  std::vector<double> costs_;
  SupervisorOptions options_;
  Meter meter_;
  std::vector<Cause> causes_;
  std::optional<Time> last_;
};

}  // namespace concertina::supervisor
