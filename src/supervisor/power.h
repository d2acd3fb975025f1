#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace concertina::supervisor {

/// A counter of the energy that a processor has used (Documentation/power/powercap/powercap.rst).
struct EnergyCounter {
  std::string name;  ///< "package-0"
  std::uint64_t microjoules = 0;
  std::uint64_t range = 0;  ///< it starts again after this; 0: unknown
};

struct PowerSignals {
  std::vector<EnergyCounter> packages;  ///< most systems show them to root only
  std::optional<bool> mains;            ///< nothing: no supply that says whether it is plugged in
  std::optional<double> battery;        ///< 0 .. 1, of the machine's first battery
  std::string profile;                  ///< /sys/firmware/acpi/platform_profile; empty where there is none
};

class PowerReader {
 public:
  explicit PowerReader(const std::string& root);
  PowerSignals read() const;

 private:
  struct Package {
    std::string file;
    EnergyCounter fixed;  ///< all but `microjoules`
  };

  std::vector<Package> packages_;
  std::vector<std::string> mains_;
  std::optional<std::string> battery_;
  std::string profile_;
};

}  // namespace concertina::supervisor
