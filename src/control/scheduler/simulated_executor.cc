#include "control/scheduler/simulated_executor.h"

#include <cmath>
#include <numbers>

namespace concertina::control {
namespace {

/// A standard normal value (Box, Muller 1958).
double normal(const CounterRandom& random, std::uint64_t counter) {
  const double radius = std::sqrt(-2 * std::log(1 - random.uniform(2 * counter)));
  return radius * std::cos(2 * std::numbers::pi * random.uniform(2 * counter + 1));
}

}  // namespace

SimulatedExecutor::SimulatedExecutor(std::span<const ModelCost> models, const SimulationOptions& options)
    : models_(models), options_(options), random_(options.seed, 1) {}

Status SimulatedExecutor::begin(const Job&) {
  return {};
}

Status SimulatedExecutor::step(const Job& job) {
  const SizeCost& cost =
      models_[static_cast<std::size_t>(job.model)].sizes[static_cast<std::size_t>(job.size)];
  const double factor = std::exp(options_.noise * normal(random_, static_cast<std::uint64_t>(job.id)));
  clock_.advance(scaled(cost.step(job.done), options_.slowdown * factor) + options_.overhead);
  return {};
}

}  // namespace concertina::control
