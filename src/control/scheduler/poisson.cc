#include "control/scheduler/poisson.h"

#include <cmath>

#include "base/random.h"

namespace concertina::control {

std::vector<Arrival> poisson_arrivals(std::span<const ModelCost> models, const PoissonOptions& options) {
  Time isolated{0};
  for (const ModelCost& model : models) isolated += model.isolated();
  // Processes of one rate are one process whose events choose their model evenly.
  const double mean_ms = to_ms(isolated) / static_cast<double>(models.size()) / options.load;
  const CounterRandom gaps(options.seed, 2), choices(options.seed, 3);
  std::vector<Arrival> arrivals;
  double at_ms = 0;
  for (int i = 0; i < options.requests; ++i) {
    const auto counter = static_cast<std::uint64_t>(i);
    at_ms -= mean_ms * std::log(1 - gaps.uniform(counter));
    const auto model = static_cast<std::size_t>(choices.below(models.size(), counter));
    const Time at = from_ms(at_ms);
    arrivals.push_back({.model = static_cast<int>(model),
                        .at = at,
                        .deadline = at + scaled(models[model].isolated(), options.deadline_multiple)});
  }
  return arrivals;
}

}  // namespace concertina::control
