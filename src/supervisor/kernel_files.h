#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

/// What files below /proc and /sys say. Each function takes the text of a whole file, trusts none of it, and
/// gives nothing where it is not as the kernel documents it.
namespace concertina::supervisor {

/// How much tasks waited for a processor (Documentation/accounting/psi.rst, the line "some").
struct Pressure {
  double avg10 = 0;  ///< share of the last ten seconds in which at least one task waited, 0 .. 1
  double avg60 = 0;
  std::uint64_t waited_us = 0;  ///< microseconds with a waiting task since the start

  friend bool operator==(const Pressure&, const Pressure&) = default;
};

/// /proc/pressure/cpu and a cgroup's cpu.pressure.
std::optional<Pressure> parse_pressure(std::string_view text);

/// How often a cgroup used up its quota of processor time (Documentation/scheduler/sched-bwc.rst).
struct Throttling {
  std::uint64_t periods = 0;    ///< that began while it had something to do
  std::uint64_t throttled = 0;  ///< of them, those in which the quota did not suffice
  Time held{0};                 ///< that its run queues stood still, added up over the processors

  friend bool operator==(const Throttling&, const Throttling&) = default;
};

/// cpu.stat of cgroup v2 (throttled_usec) and v1 (throttled_time, in nanoseconds).
std::optional<Throttling> parse_cpu_stat(std::string_view text);

/// cpu.max, "quota period" in microseconds: how many processors' time that is. Nothing if there is no limit.
std::optional<double> parse_cpu_max(std::string_view text);

/// The same of cgroup v1's cpu.cfs_quota_us (-1: no limit) and cpu.cfs_period_us.
std::optional<double> cpus_of(std::optional<std::int64_t> quota_us, std::optional<std::int64_t> period_us);

/// Where a process is in the hierarchies of cgroups, as paths below their mounts: "", "docker/4f1c".
struct CgroupPaths {
  std::optional<std::string> v1_cpu;  ///< in that of version 1 with the controller "cpu"
  std::optional<std::string> v2;

  friend bool operator==(const CgroupPaths&, const CgroupPaths&) = default;
};

/// /proc/self/cgroup. A path that leads above its mount is left out.
CgroupPaths parse_cgroup(std::string_view text);

/// What a thread has had of the processors since its start (Documentation/scheduler/sched-stats.rst).
struct ProcessorTime {
  std::uint64_t ran_ns = 0;
  std::uint64_t waited_ns = 0;  ///< ready to run, while others ran

  friend bool operator==(const ProcessorTime&, const ProcessorTime&) = default;
};

/// /proc/<pid>/task/<tid>/schedstat.
std::optional<ProcessorTime> parse_schedstat(std::string_view text);

/// A file of one whole number.
std::optional<std::int64_t> parse_integer(std::string_view text);

/// A file of millidegrees Celsius -> degrees. Nothing below -50 or above 200, where no sensor measures.
std::optional<double> parse_temperature(std::string_view text);

/// A file of one short line, such as a name. Nothing if it has a character that is not printable ASCII.
std::optional<std::string> parse_word(std::string_view text);

}  // namespace concertina::supervisor
