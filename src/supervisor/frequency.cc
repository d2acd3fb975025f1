#include "supervisor/frequency.h"

#include <algorithm>
#include <cstdint>

#include "supervisor/machine_tree.h"

namespace concertina::supervisor {
namespace {

// Reading a frequency may interrupt the processor it is of.
constexpr std::size_t kMaxPolicies = 8;

}  // namespace

FrequencyReader::FrequencyReader(const std::string& root) {
  const auto all = entries_of(root + "/sys/devices/system/cpu/cpufreq", "policy");
  const std::size_t count = std::min(all.size(), kMaxPolicies);
  for (std::size_t i = 0; i < count; ++i) policies_.push_back(all[i * all.size() / count]);
}

std::optional<Frequency> FrequencyReader::read() const {
  if (policies_.empty()) return std::nullopt;
  Frequency frequency{.driver = read_word(policies_[0] + "/scaling_driver").value_or(""),
                      .governor = read_word(policies_[0] + "/scaling_governor").value_or(""),
                      .preference = read_word(policies_[0] + "/energy_performance_preference").value_or("")};
  double allowed = 0, highest = 0;
  for (const std::string& policy : policies_) {
    const auto now = read_integer(policy + "/scaling_cur_freq");
    if (now && *now > 0)
      frequency.mhz = std::max(frequency.mhz.value_or(0), static_cast<double>(*now) / 1000);
    const auto cap = read_integer(policy + "/scaling_max_freq");
    const auto most = read_integer(policy + "/cpuinfo_max_freq");
    if (!cap || !most || *cap <= 0 || *most <= 0) continue;
    allowed += static_cast<double>(std::min(*cap, *most));
    highest += static_cast<double>(*most);
  }
  if (highest > 0) frequency.allowed = allowed / highest;
  return frequency;
}

}  // namespace concertina::supervisor
