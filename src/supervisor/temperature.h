#pragma once

#include <optional>
#include <string>
#include <vector>

namespace concertina::supervisor {

/// One sensor's temperatures, degrees Celsius.
struct Temperature {
  std::string sensor;
  bool processor = false;  ///< it is in the processor; others may be anywhere in the machine
  double now = 0;
  std::optional<double> passive = {};  ///< from here on the kernel slows the processor down
  std::optional<double> critical =
      {};  ///< here the machine turns itself off, or the processor throttles itself
};

/// Reads thermal zones (Documentation/driver-api/thermal/sysfs-api.rst) and the processors' sensors of hwmon
/// (Documentation/hwmon/sysfs-interface.rst).
class TemperatureReader {
 public:
  /// Looks for the sensors below `root`, and reads their trip points, which seldom change.
  explicit TemperatureReader(const std::string& root);

  /// Sensors that say nothing now are left out.
  std::vector<Temperature> read() const;

 private:
  struct Source {
    std::string file;
    Temperature fixed;  ///< all but `now`
  };

  void add_zone(const std::string& zone);
  void add_chip(const std::string& chip);

  std::vector<Source> sources_;
};

}  // namespace concertina::supervisor
