#include "scheduler/simulated_executor.h"

#include <cmath>

#include "base/random.h"
#include "simulation/draws.h"

namespace concertina::scheduler {
SimulatedExecutor::SimulatedExecutor(std::span<const ModelCost> models, const SimulationOptions& options)
    : models_(models), options_(options) {}

Status SimulatedExecutor::begin(const Job&) {
  return {};
}

Status SimulatedExecutor::step(const Job& job) {
  const SizeCost& cost = models_[job.model].sizes[job.size];
  simulation::Draws draws(CounterRandom(options_.seed, static_cast<std::uint64_t>(job.id)));
  const double factor = std::exp(options_.noise * draws.normal());
  clock_.advance(scaled(cost.step(job.done), options_.slowdown * factor) + options_.overhead);
  return {};
}

}  // namespace concertina::scheduler
