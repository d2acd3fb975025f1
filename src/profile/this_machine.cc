#include "profile/this_machine.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/machine.h"
#include "kernels/layout.h"
#include "kernels/machine_limits.h"

namespace concertina::profile {

latency::MeasuredMachine this_machine() {
  return {.cpu = cpu_name(),
          .instruction_set = std::string(kernels::target_name()),
          .cores = usable_cores(),
          .governor = frequency_governor()};
}

latency::Roofline this_roofline(int threads) {
  return {.gflops = kernels::peak_gflops() * std::min(threads, usable_cores()),
          .gbytes_per_second = std::max(kernels::memory_gbytes_per_second(), 1e-3)};
}

Status check_this_machine(const latency::MeasuredMachine& machine, std::string_view what,
                          std::string_view remedy) {
  const latency::MeasuredMachine here = this_machine();
  if (machine.cpu == here.cpu && machine.instruction_set == here.instruction_set) return {};
  return Error{fmt::format("{} on '{}' with {}, but this is '{}' with {}; {}", what, machine.cpu,
                           machine.instruction_set, here.cpu, here.instruction_set, remedy)};
}

}  // namespace concertina::profile
