#include "control/this_machine.h"

#include <algorithm>

#include "base/machine.h"
#include "kernels/bandwidth.h"
#include "kernels/peak.h"
#include "kernels/target.h"

namespace concertina::control {

MeasuredMachine this_machine() {
  return {.cpu = cpu_name(),
          .instruction_set = std::string(kernels::target_name()),
          .cores = usable_cores(),
          .governor = frequency_governor()};
}

Roofline this_roofline(int threads) {
  return {.gflops = kernels::peak_gflops() * std::min(threads, usable_cores()),
          .gbytes_per_second = std::max(kernels::memory_gbytes_per_second(), 1e-3)};
}

}  // namespace concertina::control
