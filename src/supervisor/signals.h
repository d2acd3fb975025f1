#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "supervisor/cgroup.h"
#include "supervisor/frequency.h"
#include "supervisor/kernel_files.h"
#include "supervisor/power.h"
#include "supervisor/temperature.h"

namespace concertina::supervisor {

/// What a machine shows of itself at one moment. Anything may be missing; counters are as the kernel has
/// them.
struct Signals {
  std::optional<Pressure> pressure = {};      ///< of the whole machine
  std::optional<ProcessorTime> process = {};  ///< of all threads of the process
  CgroupSignals cgroup = {};
  std::vector<Temperature> temperatures = {};
  std::optional<Frequency> frequency = {};
  PowerSignals power = {};
};

/// Reads a machine's signals below a root folder. For one thread at a time.
class SignalReader {
 public:
  /// Looks for what there is; what appears later is not seen. Nothing there is not an error. Threads and
  /// cgroups are those of `process`, a number or "self".
  explicit SignalReader(const std::filesystem::path& root = "/", const std::string& process = "self");

  Signals read() const;

 private:
  std::string pressure_;
  std::string threads_;
  CgroupReader cgroup_;
  TemperatureReader temperatures_;
  FrequencyReader frequency_;
  PowerReader power_;
};

}  // namespace concertina::supervisor
