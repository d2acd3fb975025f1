#pragma once

#include <optional>
#include <string>
#include <vector>

#include "supervisor/kernel_files.h"

namespace concertina::supervisor {

/// What the process's cgroups say.
struct CgroupSignals {
  std::optional<double> cpus;  ///< processors' time that its tightest quota grants; nothing: no quota
  std::optional<Throttling> throttling;  ///< of the cgroup with that quota, of its own if there is none
  std::optional<Pressure> pressure;
};

/// Reads the cgroups of a process, of version 1 or 2, where distributions mount them.
class CgroupReader {
 public:
  /// Looks for them below `root`; `process` is its folder in /proc. A cgroup that the process is said to be
  /// in but that is not there is seen from within a container, in which the mount itself is the container's.
  CgroupReader(const std::string& root, const std::string& process);

  CgroupSignals read() const;

 private:
  bool v1_ = false;
  std::vector<std::string> levels_;  ///< that may have a quota: its own, the parent, ...
  std::string pressure_;
};

}  // namespace concertina::supervisor
