#include "control/this_machine.h"

#include "base/machine.h"
#include "kernels/target.h"

namespace concertina::control {

MeasuredMachine this_machine() {
  return {.cpu = cpu_name(),
          .instruction_set = std::string(kernels::target_name()),
          .cores = usable_cores(),
          .governor = frequency_governor()};
}

}  // namespace concertina::control
