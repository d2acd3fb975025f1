// Any bytes as a plan. What is accepted must survive being written, and have a design for every state.

#include <cstdint>
#include <cstdlib>

#include "slo/rule_table.h"

using namespace concertina;
using namespace concertina::slo;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto table = slo::RuleTable::parse({reinterpret_cast<const char*>(data), size});
  if (!table) return 0;
  const auto again = slo::RuleTable::parse(table->to_json());
  if (!again || !(*again == *table)) std::abort();
  int current = -1;
  for (std::size_t state = 0; state < kMachineStates.size(); ++state) {
    for (const double slow_down : {1.0, 2.5, 1e9}) {
      current = table->rule(static_cast<MachineState>(state), slow_down, current);
      const slo::Design& design = table->design(static_cast<MachineState>(state), slow_down, current);
      if (design.subnet < 0 || static_cast<std::size_t>(design.subnet) >= table->subnets.size()) std::abort();
    }
  }
  return 0;
}
