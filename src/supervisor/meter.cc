#include "supervisor/meter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace concertina::supervisor {
namespace {

std::optional<double> limit_of(const Temperature& temperature, const MeterOptions& options) {
  std::optional<double> limit;
  if (temperature.passive) limit = *temperature.passive - options.below_passive;
  if (temperature.critical) {
    const double under = *temperature.critical - options.below_critical;
    limit = limit ? std::min(*limit, under) : under;
  }
  return limit;
}

/// Their governor "powersave" is the usual one, in which the processor chooses its frequency itself
/// (Documentation/admin-guide/pm/intel_pstate.rst); with other drivers it is the lowest frequency.
bool chooses_itself(std::string_view driver) {
  constexpr std::array<std::string_view, 3> kDrivers = {"intel_pstate", "amd-pstate-epp", "amd_pstate_epp"};
  return std::find(kDrivers.begin(), kDrivers.end(), driver) != kDrivers.end();
}

}  // namespace

Meter::Meter(const MeterOptions& options)
    : options_(options),
      pressure_(options.window),
      ran_(options.window),
      waited_(options.window),
      periods_(options.window),
      throttled_(options.window) {}

Measured Meter::measure(Time elapsed, const Signals& signals) {
  Measured measured{.pressure = pressure(elapsed, signals),
                    .waiting = waiting(elapsed, signals.process),
                    .throttled = throttled(elapsed, signals.cgroup.throttling),
                    .heat = hottest(signals.temperatures, options_),
                    .watts = watts(elapsed, signals.power.packages),
                    .told_to_save = told_to_save(signals, options_)};
  if (signals.frequency) measured.allowed_frequency = signals.frequency->allowed;
  return measured;
}

void Meter::restart() {
  for (CounterWindow* window : {&pressure_, &ran_, &waited_, &periods_, &throttled_}) window->restart();
  for (CounterWindow& window : energies_) window.restart();
}

/// Of the process's own cgroup where that is shown: on a machine with many processors somebody always waits.
std::optional<double> Meter::pressure(Time elapsed, const Signals& signals) {
  const auto& shown = signals.cgroup.pressure ? signals.cgroup.pressure : signals.pressure;
  const auto growth = pressure_.update(elapsed, shown ? std::optional(shown->waited_us) : std::nullopt);
  if (growth) return std::min(growth->per_second() / 1e6, 1.0);
  return shown ? std::optional(shown->avg10) : std::nullopt;
}

std::optional<double> Meter::waiting(Time elapsed, const std::optional<ProcessorTime>& process) {
  const auto ran = ran_.update(elapsed, process ? std::optional(process->ran_ns) : std::nullopt);
  const auto waited = waited_.update(elapsed, process ? std::optional(process->waited_ns) : std::nullopt);
  if (!ran || !waited) return std::nullopt;
  const double wanted = ran->amount + waited->amount;
  if (!(wanted > 0 && wanted >= options_.idle * static_cast<double>(ran->over.count()))) return std::nullopt;
  return waited->amount / wanted;
}

std::optional<double> Meter::throttled(Time elapsed, const std::optional<Throttling>& counters) {
  const auto periods = periods_.update(elapsed, counters ? std::optional(counters->periods) : std::nullopt);
  const auto held = throttled_.update(elapsed, counters ? std::optional(counters->throttled) : std::nullopt);
  if (!periods || !held) return std::nullopt;
  return held->amount > 0 ? std::min(held->amount / std::max(periods->amount, 1.0), 1.0) : 0;
}

std::optional<double> Meter::watts(Time elapsed, const std::vector<EnergyCounter>& packages) {
  if (packages.size() != energies_.size()) energies_.assign(packages.size(), CounterWindow(options_.window));
  std::optional<double> sum;
  for (std::size_t i = 0; i < packages.size(); ++i) {
    const auto growth = energies_[i].update(elapsed, packages[i].microjoules, packages[i].range);
    if (growth) sum = sum.value_or(0) + growth->per_second() / 1e6;
  }
  return sum;
}

std::optional<Heat> hottest(const std::vector<Temperature>& temperatures, const MeterOptions& options) {
  const bool limit_shown = std::any_of(temperatures.begin(), temperatures.end(), [&](const Temperature& t) {
    return t.processor && limit_of(t, options);
  });
  std::optional<Heat> worst;
  for (const Temperature& temperature : temperatures) {
    auto limit = limit_of(temperature, options);
    if (!limit && temperature.processor && !limit_shown) limit = options.assumed_limit;
    if (!limit) continue;
    const Heat heat{.sensor = temperature.sensor, .celsius = temperature.now, .limit = *limit};
    if (!worst || heat.excess() > worst->excess()) worst = heat;
  }
  return worst;
}

std::string told_to_save(const Signals& signals, const MeterOptions& options) {
  const PowerSignals& power = signals.power;
  if (power.profile == "low-power") return "the platform profile is low-power";
  if (const auto& frequency = signals.frequency) {
    if (frequency->preference == "power") return "the energy preference of the processor is power";
    if (frequency->governor == "powersave" && !frequency->driver.empty() &&
        !chooses_itself(frequency->driver))
      return "the frequency governor is powersave";
  }
  if (power.mains.value_or(true)) return {};
  if (options.save_on_battery) return "there is no mains";
  if (power.battery && *power.battery <= options.low_battery)
    return fmt::format("the battery is at {:.0f} %", 100 * *power.battery);
  return {};
}

}  // namespace concertina::supervisor
