#include "supervisor/temperature.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "supervisor/kernel_files.h"
#include "supervisor/machine_tree.h"

namespace concertina::supervisor {
namespace {

// Below this a trip point is switched off (0, -274000), or firmware has left it at nonsense.
constexpr double kLowestTrip = 40;

// Its trip points are thresholds that a user may set to be notified, no protection
// (Documentation/driver-api/thermal/x86_pkg_temperature_thermal.rst).
constexpr std::string_view kOnlyNotifies = "x86_pkg_temp";

bool in_processor(std::string_view name) {
  constexpr std::array<std::string_view, 10> kStarts = {
      "x86_pkg_temp", "cpu", "soc", "coretemp", "k10temp", "zenpower", "bigcl", "littlec", "TCPU", "B0D4"};
  return std::any_of(kStarts.begin(), kStarts.end(), [&](auto start) { return name.starts_with(start); });
}

void lower(std::optional<double>& limit, double to) {
  limit = limit ? std::min(*limit, to) : to;
}

/// "temp3_input" -> "temp3"; nothing for other files.
std::optional<std::string> stem_of_input(const std::string& file) {
  constexpr std::string_view kEnd = "_input";
  const std::string_view name = std::string_view(file).substr(file.rfind('/') + 1);
  if (!name.ends_with(kEnd)) return std::nullopt;
  return std::string(name.substr(0, name.size() - kEnd.size()));
}

}  // namespace

TemperatureReader::TemperatureReader(const std::string& root) {
  for (const std::string& zone : entries_of(root + "/sys/class/thermal", "thermal_zone")) add_zone(zone);
  for (const std::string& chip : entries_of(root + "/sys/class/hwmon", "hwmon")) add_chip(chip);
}

void TemperatureReader::add_zone(const std::string& zone) {
  constexpr int kMaxTrips = 32;
  const auto type = read_word(zone + "/type");
  if (!type) return;
  Source source{.file = zone + "/temp", .fixed = {.sensor = *type, .processor = in_processor(*type)}};
  for (int i = 0; i < kMaxTrips && *type != kOnlyNotifies; ++i) {
    const std::string trip = "trip_point_" + std::to_string(i);
    const auto kind = read_word(zone + "/" + trip + "_type");
    const auto celsius = read_with(zone + "/" + trip + "_temp", parse_temperature);
    if (!kind || !celsius || *celsius < kLowestTrip) continue;
    // "active" only starts a fan.
    if (*kind == "passive") lower(source.fixed.passive, *celsius);
    if (*kind == "hot" || *kind == "critical") lower(source.fixed.critical, *celsius);
  }
  sources_.push_back(std::move(source));
}

/// The first sensor of a processor's chip is that of the whole package, or the only one.
void TemperatureReader::add_chip(const std::string& chip) {
  const auto name = read_word(chip + "/name");
  if (!name || !in_processor(*name)) return;
  for (const std::string& file : entries_of(chip, "temp")) {
    const auto stem = stem_of_input(file);
    if (!stem) continue;
    Source source{.file = file, .fixed = {.sensor = *name, .processor = true}};
    source.fixed.critical = read_with(chip + "/" + *stem + "_crit", parse_temperature);
    if (source.fixed.critical < kLowestTrip) source.fixed.critical.reset();
    sources_.push_back(std::move(source));
    return;
  }
}

std::vector<Temperature> TemperatureReader::read() const {
  std::vector<Temperature> temperatures;
  for (const Source& source : sources_) {
    const auto now = read_with(source.file, parse_temperature);
    if (!now) continue;
    temperatures.push_back(source.fixed);
    temperatures.back().now = *now;
  }
  return temperatures;
}

}  // namespace concertina::supervisor
