#include <benchmark/benchmark.h>

#include "base/random.h"
#include "scheduler/deadline_sizes.h"

namespace concertina::scheduler {
namespace {

/// Three models of eight sizes and twenty steps, the times of the sizes falling to a quarter.
std::vector<ModelCost> models() {
  std::vector<ModelCost> made;
  for (const double ms : {0.4, 0.38, 0.1}) {
    ModelCost model{.name = "model", .sizes = {}};
    for (int s = 0; s < 8; ++s) {
      const std::vector<Time> steps(20, from_ms(ms * (1 - 0.1 * s) / 20));
      model.sizes.push_back(SizeCost::of(0.9 - 0.002 * s * s, 0.9 - 0.002 * s * s, steps));
    }
    made.push_back(std::move(model));
  }
  return made;
}

/// A decision after an arrival; the second argument is the time to the last deadline, in parts of the time
/// that the full sizes need, in per cent. With 25 hardly any request keeps more than its smallest size.
void plan(benchmark::State& state) {
  DeadlineSizes policy(models());
  const auto jobs = static_cast<int>(state.range(0));
  const double longest_ms = 0.88 / 3 * jobs * static_cast<double>(state.range(1)) / 100;
  const CounterRandom random(1);
  std::vector<Job> queue;
  for (int i = 0; i < jobs; ++i) {
    const double until = longest_ms * (0.2 + 0.8 * random.uniform(static_cast<std::uint64_t>(i)));
    queue.push_back({.id = i, .model = i % 3, .deadline = from_ms(until)});
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(policy.choose({.now = Time(0), .queue = queue}));
  }
}
BENCHMARK(plan)->ArgsProduct({{4, 16, 64}, {25, 50, 75, 100, 200}});

}  // namespace
}  // namespace concertina::scheduler
