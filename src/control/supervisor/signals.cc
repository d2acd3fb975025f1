#include "control/supervisor/signals.h"

#include "control/supervisor/machine_tree.h"

namespace concertina::control {

SignalReader::SignalReader(const std::filesystem::path& root)
    : root_(root), cgroup_(root), temperatures_(root), frequency_(root), power_(root) {}

Signals SignalReader::read() const {
  return {.pressure = read_with(root_ / "proc/pressure/cpu", parse_pressure),
          .cgroup = cgroup_.read(),
          .temperatures = temperatures_.read(),
          .frequency = frequency_.read(),
          .power = power_.read()};
}

}  // namespace concertina::control
