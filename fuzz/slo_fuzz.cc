// Any bytes as an SLO file. Whatever is accepted must lead to a plan, and its rules must survive being
// written.

#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "slo/rule_table.h"
#include "slo/testing.h"

using namespace concertina;
using namespace concertina::slo;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<slo::Candidate> candidates = {
      testing::make_candidate(0, 0.9, 9), testing::make_candidate(1, 0.8, 5, 2),
      testing::make_candidate(1, 0.8, 15, 1, 4), testing::make_candidate(2, 0.7, 2)};
  const auto slo = slo::Slo::parse({reinterpret_cast<const char*>(data), size}, "file");
  if (!slo) return 0;
  const slo::Solution solution = slo::solve(*slo, candidates, 2);
  for (const slo::StateOutcome& outcome : solution.outcomes) {
    if (std::isnan(outcome.cost.excess) || std::isnan(outcome.cost.loss) || outcome.cost < outcome.best)
      std::abort();
  }
  static const std::vector<SubnetInfo> subnets(3, {.subnet = {{8}}, .test_accuracy = {}});
  const slo::RuleTable table = slo::make_rule_table(*slo, solution, subnets, {});
  const auto again = slo::RuleTable::parse(table.to_json());
  if (!again || !(*again == table)) std::abort();
  return 0;
}
