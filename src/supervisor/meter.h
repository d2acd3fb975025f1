#pragma once

#include <optional>
#include <string>
#include <vector>

#include "supervisor/counter_window.h"
#include "supervisor/signals.h"

namespace concertina::supervisor {

/// How temperatures, batteries and rates are read.
struct MeterOptions {
  double below_passive = 5;    ///< degrees under the kernel's passive trip point that count as hot
  double below_critical = 10;  ///< and under a critical one, where it is too late to do anything
  double assumed_limit = 85;   ///< degrees that are hot where no sensor of the processor has a trip point
  double idle = 0.05;  ///< share of one processor's time below which a process is too idle to be judged
  double low_battery = 0.15;     ///< charge, 0 .. 1, from which on a machine without mains saves power
  bool save_on_battery = false;  ///< it saves power whenever it has no mains
  Time window = from_ms(1000);   ///< over which rates are taken
};

/// The sensor that is nearest to its limit, or furthest above it.
struct Heat {
  std::string sensor;
  double celsius = 0;
  double limit = 0;  ///< from here on it is hot

  double excess() const { return celsius - limit; }
};

/// What signals amount to. Nothing: the machine does not show it, or not yet.
struct Measured {
  std::optional<double> pressure;  ///< share of the time in which any task waited for a processor, 0 .. 1
  /// Share of the time in which the process wanted to run that it waited, 0 .. 1. Nothing while it is idle.
  std::optional<double> waiting;
  std::optional<double> throttled;  ///< share of the quota's periods in which it did not suffice, 0 .. 1
  std::optional<Heat> heat;
  std::optional<double> allowed_frequency = {};  ///< share of the highest, 0 .. 1
  std::optional<double> watts;                   ///< of all processors
  std::string told_to_save;                      ///< who says that power is to be saved; empty: nobody
};

/// Turns samples of signals, and what lies between two of them, into figures.
class Meter {
 public:
  explicit Meter(const MeterOptions& options);

  /// The signals `elapsed` after the last. Precondition: elapsed is not negative.
  Measured measure(Time elapsed, const Signals& signals);

  /// The time between the last signals and the next is not known: rates start anew.
  void restart();

 private:
  std::optional<double> pressure(Time elapsed, const Signals& signals);
  std::optional<double> waiting(Time elapsed, const std::optional<ProcessorTime>& process);
  std::optional<double> throttled(Time elapsed, const std::optional<Throttling>& counters);
  std::optional<double> watts(Time elapsed, const std::vector<EnergyCounter>& packages);

  MeterOptions options_;
  CounterWindow pressure_, ran_, waited_, periods_, throttled_;
  std::vector<CounterWindow> energies_;
};

/// The most worrying of the sensors. Where some of the processor's have trip points, those that have none do
/// not count; sensors elsewhere count only if they have one.
std::optional<Heat> hottest(const std::vector<Temperature>& temperatures, const MeterOptions& options);

/// Who says that power is to be saved: "the platform profile is low-power"; empty: nobody.
std::string told_to_save(const Signals& signals, const MeterOptions& options);

}  // namespace concertina::supervisor
