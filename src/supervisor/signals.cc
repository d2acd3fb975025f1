#include "supervisor/signals.h"

#include "supervisor/machine_tree.h"

namespace concertina::supervisor {
namespace {

/// The sum over the threads that there are now.
std::optional<ProcessorTime> read_threads(const std::string& folder) {
  std::optional<ProcessorTime> sum;
  for (const std::string& thread : entries_of(folder, "")) {
    const auto time = read_with(thread + "/schedstat", parse_schedstat);
    if (!time) continue;
    if (!sum) sum.emplace();
    sum->ran_ns += time->ran_ns;
    sum->waited_ns += time->waited_ns;
  }
  return sum;
}

}  // namespace

SignalReader::SignalReader(const std::filesystem::path& root, const std::string& process)
    : pressure_(root.native() + "/proc/pressure/cpu"),
      threads_(root.native() + "/proc/" + process + "/task"),
      cgroup_(root.native(), root.native() + "/proc/" + process),
      temperatures_(root.native()),
      frequency_(root.native()),
      power_(root.native()) {}

Signals SignalReader::read() const {
  return {.pressure = read_with(pressure_, parse_pressure),
          .process = read_threads(threads_),
          .cgroup = cgroup_.read(),
          .temperatures = temperatures_.read(),
          .frequency = frequency_.read(),
          .power = power_.read()};
}

}  // namespace concertina::supervisor
