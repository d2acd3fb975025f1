#include "simulation/scheduling/simulated_executor.h"

#include <cmath>

#include "base/random.h"
#include "simulation/draws.h"

namespace concertina::simulation {

Status SimulatedExecutor::step(const scheduler::Job& job) {
  const scheduler::SizeCost& cost = models_[job.model].sizes[job.size];
  Draws draws(CounterRandom(options_.seed, static_cast<std::uint64_t>(job.id)));
  const double factor = std::exp(options_.noise * draws.normal());
  clock_.advance(scheduler::scaled(cost.step(job.done), options_.slowdown * factor) + options_.overhead);
  return {};
}

}  // namespace concertina::simulation
