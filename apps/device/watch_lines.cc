#include "device/watch_lines.h"

#include <fmt/format.h>

#include <optional>
#include <utility>
#include <vector>

namespace concertina::apps {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kRow = "{:>8} {:<9} {:>7} {:>8} {:>8} {:>9} {:>8} {:>6} {:>7} {:>6}  {}";

Json number(const std::optional<double>& value) {
  return value ? Json(*value) : Json();
}

Json word(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

std::string decimal(const std::optional<double>& value, int digits) {
  return value ? fmt::format("{:.{}f}", *value, digits) : "-";
}

std::string percent(const std::optional<double>& value) {
  return value ? fmt::format("{:.0f} %", 100 * *value) : "-";
}

std::optional<double> mhz_of(const supervisor::Signals& signals) {
  return signals.frequency ? signals.frequency->mhz : std::nullopt;
}

std::string describe_temperatures(const std::vector<supervisor::Temperature>& temperatures) {
  std::string text;
  for (const supervisor::Temperature& t : temperatures) {
    text += fmt::format("{}{} {:.1f} degrees", text.empty() ? "" : "; ", t.sensor, t.now);
    if (t.passive) text += fmt::format(", slowed down from {:.0f}", *t.passive);
    if (t.critical) text += fmt::format(", critical at {:.0f}", *t.critical);
  }
  return text;
}

std::string describe_frequency(const supervisor::Frequency& frequency) {
  std::string text = frequency.governor.empty() ? "no governor" : "governor " + frequency.governor;
  if (!frequency.driver.empty()) text += " of " + frequency.driver;
  if (!frequency.preference.empty()) text += ", preference " + frequency.preference;
  if (frequency.allowed) text += ", up to " + percent(frequency.allowed) + " of the highest";
  return text;
}

std::string describe_supply(const supervisor::PowerSignals& power) {
  std::string text = power.mains ? (*power.mains ? "mains" : "no mains") : "";
  if (power.battery) text += (text.empty() ? "battery " : ", battery ") + percent(power.battery);
  return text;
}

Json temperatures_json(const std::vector<supervisor::Temperature>& temperatures) {
  Json list = Json::array();
  for (const supervisor::Temperature& t : temperatures) {
    list.push_back({{"sensor", t.sensor},
                    {"celsius", t.now},
                    {"passive", number(t.passive)},
                    {"critical", number(t.critical)}});
  }
  return list;
}

}  // namespace

std::string describe(const supervisor::Signals& signals) {
  const auto& pressure = signals.cgroup.pressure ? signals.cgroup.pressure : signals.pressure;
  const std::vector<std::pair<const char*, std::string>> kinds = {
      {"pressure", !pressure                 ? ""
                   : signals.cgroup.pressure ? "of the process's cgroup"
                                             : "of the whole machine"},
      {"process", signals.process ? "how long it waits for a processor" : ""},
      {"quota", !signals.cgroup.throttling ? ""
                : signals.cgroup.cpus      ? decimal(signals.cgroup.cpus, 2) + " processors"
                                           : "none is set"},
      {"temperature", describe_temperatures(signals.temperatures)},
      {"frequency", signals.frequency ? describe_frequency(*signals.frequency) : ""},
      {"energy", signals.power.packages.empty()
                     ? ""
                     : fmt::format("of {} processor(s)", signals.power.packages.size())},
      {"supply", describe_supply(signals.power)},
      {"profile", signals.power.profile}};
  std::string text;
  for (const auto& [kind, shown] : kinds)
    text += fmt::format("{:<12} {}\n", kind, shown.empty() ? "not shown" : shown);
  return text;
}

std::string sample_head() {
  return fmt::format(kRow, "seconds", "state", "sub-net", "pressure", "waiting", "throttled", "degrees",
                     "MHz", "allowed", "watts", "why");
}

std::string sample_line(double seconds, const supervisor::Signals& signals,
                        const supervisor::Advice& advice) {
  const supervisor::Measured& m = advice.measured;
  return fmt::format(kRow, decimal(seconds, 1), name_of(advice.state), advice.largest, percent(m.pressure),
                     percent(m.waiting), percent(m.throttled), m.heat ? decimal(m.heat->celsius, 1) : "-",
                     decimal(mhz_of(signals), 0), percent(m.allowed_frequency), decimal(m.watts, 1),
                     advice.why);
}

Json sample_json(double seconds, const supervisor::Signals& signals, const supervisor::Advice& advice) {
  const supervisor::Measured& m = advice.measured;
  const supervisor::Frequency frequency = signals.frequency.value_or(supervisor::Frequency{});
  const auto& mains = signals.power.mains;
  return {{"seconds", seconds},
          {"state", name_of(advice.state)},
          {"largest", advice.largest},
          {"share", advice.share},
          {"why", advice.why},
          {"pressure", number(m.pressure)},
          {"waiting", number(m.waiting)},
          {"throttled", number(m.throttled)},
          {"quota_cpus", number(signals.cgroup.cpus)},
          {"hottest",
           m.heat ? Json{{"sensor", m.heat->sensor}, {"celsius", m.heat->celsius}, {"limit", m.heat->limit}}
                  : Json()},
          {"temperatures", temperatures_json(signals.temperatures)},
          {"mhz", number(frequency.mhz)},
          {"allowed_frequency", number(m.allowed_frequency)},
          {"governor", word(frequency.governor)},
          {"driver", word(frequency.driver)},
          {"preference", word(frequency.preference)},
          {"watts", number(m.watts)},
          {"mains", mains ? Json(*mains) : Json()},
          {"battery", number(signals.power.battery)},
          {"profile", word(signals.power.profile)}};
}

}  // namespace concertina::apps
