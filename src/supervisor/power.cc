#include "supervisor/power.h"

#include "supervisor/machine_tree.h"

namespace concertina::supervisor {
namespace {

std::uint64_t positive(std::optional<std::int64_t> value) {
  return value && *value > 0 ? static_cast<std::uint64_t>(*value) : 0;
}

}  // namespace

PowerReader::PowerReader(const std::string& root) : profile_(root + "/sys/firmware/acpi/platform_profile") {
  // Parts of a package ("core", "uncore") and the whole system ("psys") would be counted twice.
  for (const std::string& zone : entries_of(root + "/sys/class/powercap", "intel-rapl:")) {
    const auto name = read_word(zone + "/name");
    if (!name || !name->starts_with("package-")) continue;
    packages_.push_back(
        {.file = zone + "/energy_uj",
         .fixed = {.name = *name, .range = positive(read_integer(zone + "/max_energy_range_uj"))}});
  }
  for (const std::string& supply : entries_of(root + "/sys/class/power_supply", "")) {
    const auto type = read_word(supply + "/type");
    if (type == "Mains" || type == "USB") mains_.push_back(supply + "/online");
    // Mice and pens have batteries too, of the scope "Device".
    const bool own = type == "Battery" && read_word(supply + "/scope") != "Device";
    if (own && !battery_) battery_ = supply + "/capacity";
  }
}

PowerSignals PowerReader::read() const {
  PowerSignals signals;
  for (const Package& package : packages_) {
    const auto energy = read_integer(package.file);
    if (!energy || *energy < 0) continue;
    signals.packages.push_back(package.fixed);
    signals.packages.back().microjoules = static_cast<std::uint64_t>(*energy);
  }
  for (const std::string& file : mains_) {
    if (const auto online = read_integer(file)) signals.mains = signals.mains.value_or(false) || *online > 0;
  }
  if (battery_) {
    const auto percent = read_integer(*battery_);
    if (percent && *percent >= 0 && *percent <= 100) signals.battery = static_cast<double>(*percent) / 100;
  }
  signals.profile = read_word(profile_).value_or("");
  return signals;
}

}  // namespace concertina::supervisor
