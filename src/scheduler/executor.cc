#include "scheduler/executor.h"

#include <cmath>
#include <utility>

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

SessionExecutor::SessionExecutor(std::vector<Tenant> tenants, const Clock& clock, Answered answered)
    : tenants_(std::move(tenants)), clock_(clock), origin_(clock.now()), answered_(std::move(answered)) {
  for (const Tenant& tenant : tenants_) logits_.emplace_back(tenant.session.model().output_size());
}

void SessionExecutor::wait_until(Time moment) {
  while (now() < moment) {
  }
}

Status SessionExecutor::begin(const Job& job) {
  const auto model = static_cast<std::size_t>(job.model);
  return tenants_[model].session.begin(tenants_[model].images, 1, job.size, logits_[model]);
}

Status SessionExecutor::step(const Job& job) {
  const auto model = static_cast<std::size_t>(job.model);
  if (tenants_[model].session.advance() && answered_) answered_(job, logits_[model]);
  return {};
}

}  // namespace concertina::scheduler
