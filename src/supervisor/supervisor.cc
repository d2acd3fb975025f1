#include "supervisor/supervisor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace concertina::supervisor {
namespace {

std::optional<double> excess_of(const Measured& m) {
  return m.heat ? std::optional(m.heat->excess()) : std::nullopt;
}

std::optional<double> slowed(const Measured& m) {
  return m.allowed_frequency ? std::optional(1 - *m.allowed_frequency) : std::nullopt;
}

/// What the process has seen itself is better than what others have, who may be of a lower priority.
std::optional<double> delay_of(const Measured& m) {
  return m.waiting ? m.waiting : m.pressure;
}

std::string say_pressure(const Measured& m, const Thresholds& t) {
  if (m.waiting) {
    return fmt::format(
        "the program waited for a processor {:.0f} % of the time that it wanted (limit {:.0f} %)",
        100 * *m.waiting, 100 * t.enter);
  }
  return fmt::format("tasks waited for a processor {:.0f} % of the time (limit {:.0f} %)",
                     100 * m.pressure.value_or(0), 100 * t.enter);
}

std::string say_throttled(const Measured& m, const Thresholds& t) {
  return fmt::format("the cgroup's quota did not suffice in {:.0f} % of its periods (limit {:.0f} %)",
                     100 * m.throttled.value_or(0), 100 * t.enter);
}

std::string say_heat(const Measured& m, const Thresholds& t) {
  const Heat heat = m.heat.value_or(Heat{});
  return fmt::format("{} is at {:.1f} degrees (limit {:.1f})", heat.sensor, heat.celsius,
                     heat.limit + t.enter);
}

std::string say_slowed(const Measured& m, const Thresholds& t) {
  return fmt::format("the frequency is held at {:.0f} % of the highest (limit {:.0f} %)",
                     100 * m.allowed_frequency.value_or(0), 100 * (1 - t.enter));
}

std::string say_told(const Measured& m, const Thresholds&) {
  return m.told_to_save.empty() ? "nobody says any more that power is to be saved" : m.told_to_save;
}

std::string say_watts(const Measured& m, const Thresholds& t) {
  return fmt::format("the processors take {:.1f} W (limit {:.1f})", m.watts.value_or(0), t.enter);
}

double seconds(Time time) {
  return to_ms(time) / 1000;
}

/// later - earlier, which need not fit in Time. Precondition: later >= earlier.
std::uint64_t distance(Time earlier, Time later) {
  return static_cast<std::uint64_t>(later.count()) - static_cast<std::uint64_t>(earlier.count());
}

}  // namespace

Supervisor::Supervisor(std::vector<double> costs, const SupervisorOptions& options)
    : costs_(std::move(costs)), options_(options), meter_(options.meter) {
  const auto throttled = [](const Measured& m) { return m.throttled; };
  const auto watts = [](const Measured& m) { return m.watts; };
  const auto told = [](const Measured& m) { return std::optional(m.told_to_save.empty() ? 0.0 : 1.0); };
  add_cause(MachineState::hot, options.heat, excess_of, say_heat);
  add_cause(MachineState::throttled, options.throttling, throttled, say_throttled);
  add_cause(MachineState::saving, options.told, told, say_told);
  add_cause(MachineState::saving, options.slowed, slowed, say_slowed);
  if (options.watts) add_cause(MachineState::saving, *options.watts, watts, say_watts);
  add_cause(MachineState::busy, options.pressure, delay_of, say_pressure);
}

void Supervisor::add_cause(MachineState state, const Thresholds& thresholds, decltype(Cause::value) value,
                           decltype(Cause::say) say) {
  const double floor = costs_.back() / costs_.front();
  causes_.push_back({state, Hysteresis(thresholds, floor, options_.forget), value, say});
}

Advice Supervisor::advise(Time now, const Signals& signals) {
  const Time elapsed = elapsed_until(now);
  Advice advice;
  advice.measured = meter_.measure(elapsed, signals);
  for (Cause& cause : causes_) {
    const auto value = cause.value(advice.measured);
    cause.verdict.update(elapsed, value);
    if (!cause.verdict.active()) continue;
    advice.state = std::max(advice.state, cause.state);
    advice.share = std::min(advice.share, cause.verdict.share());
    const Thresholds& thresholds = cause.verdict.thresholds();
    advice.why += fmt::format("{}{}: {}", advice.why.empty() ? "" : "; ", name_of(cause.state),
                              value ? cause.say(advice.measured, thresholds) : "its signal has gone");
    if (const auto well = cause.verdict.well_for())
      advice.why +=
          fmt::format(", well for {:.1f} s of {:.1f}", seconds(*well), seconds(cause.verdict.dwell()));
  }
  if (advice.why.empty()) advice.why = "no signal is too high";
  advice.largest = largest_within(advice.share);
  return advice;
}

void Supervisor::restart() {
  last_.reset();
  meter_.restart();
}

Time Supervisor::elapsed_until(Time now) {
  const std::optional<Time> last = std::exchange(last_, now);
  if (!last || now == *last) return Time(0);
  const bool jumped =
      now < *last || distance(*last, now) > static_cast<std::uint64_t>(options_.longest_gap.count());
  if (jumped) meter_.restart();
  return jumped ? Time(0) : now - *last;
}

int Supervisor::largest_within(double share) const {
  const double most = share * costs_.front() * (1 + 1e-9);
  const auto first = std::find_if(costs_.begin(), costs_.end(), [&](double cost) { return cost <= most; });
  return static_cast<int>(std::min(first, costs_.end() - 1) - costs_.begin());
}

}  // namespace concertina::supervisor
