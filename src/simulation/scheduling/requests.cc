#include "simulation/scheduling/requests.h"

#include "base/random.h"
#include "base/try.h"

namespace concertina::simulation {

Result<std::vector<Arrival>> make_requests(std::span<const scheduler::ModelCost> models,
                                           const RequestOptions& options) {
  Time isolated{0};
  for (const scheduler::ModelCost& model : models) isolated += model.isolated();
  const double rate = options.load * 1e3 * static_cast<double>(models.size()) / to_ms(isolated);
  ASSIGN_OR_RETURN(const std::vector<Time> moments,
                   make_arrivals(options.process, options.requests, rate, options.seed));
  constexpr std::uint64_t kChoices = 0x736368;  // a stream that the arrivals do not use
  const CounterRandom choices(options.seed, kChoices);
  std::vector<Arrival> arrivals;
  for (std::uint64_t i = 0; const Time at : moments) {
    const std::uint64_t model = choices.below(models.size(), i++);
    const Time isolated_time = models[model].isolated();
    arrivals.push_back({.model = static_cast<int>(model),
                        .at = at,
                        .deadline = at + scheduler::scaled(isolated_time, options.deadline_multiple)});
  }
  return arrivals;
}

}  // namespace concertina::simulation
