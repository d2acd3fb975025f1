#include "simulation/scenario.h"

#include <fmt/format.h>

#include <cmath>

#include "base/try.h"
#include "simulation/arrivals.h"
#include "simulation/policies.h"
#include "simulation/server.h"

namespace concertina::simulation {
namespace {

constexpr double kDeadlineOfLargest = 5;

Status check(const ScenarioOptions& options) {
  if (!(options.load > 0 && options.load <= 1000))
    return Error{fmt::format("a load of {} makes no sense; choose above 0, such as 0.8", options.load)};
  if (!(options.deadline_ms >= 0 && options.deadline_ms <= 1e9))
    return Error{fmt::format("a deadline of {} ms makes no sense; choose above 0", options.deadline_ms)};
  if (!(options.quantile > 0 && options.quantile < 1))
    return Error{
        fmt::format("the quantile {} is not between 0 and 1; choose one such as 0.99", options.quantile)};
  return {};
}

}  // namespace

Result<Scenario> make_scenario(const ScenarioOptions& options,
                               const std::vector<control::SubnetProfile>& sizes) {
  RETURN_IF_ERROR(check(options));
  ASSIGN_OR_RETURN(const ArrivalProcess process, parse_arrivals(options.arrivals, options.traces));
  ASSIGN_OR_RETURN(const ContentionModel contention, parse_contention(options.contention));
  const double largest = sizes.front().times.median();
  Scenario scenario;
  ASSIGN_OR_RETURN(scenario.arrivals,
                   make_arrivals(process, options.requests, options.load * 1e3 / largest, options.seed));
  ASSIGN_OR_RETURN(scenario.contention, make_contention(contention, scenario.arrivals.back(), options.seed));
  const double deadline = options.deadline_ms > 0 ? options.deadline_ms : kDeadlineOfLargest * largest;
  scenario.serving = {.deadline = from_ms(deadline), .quantile = options.quantile};
  return scenario;
}

Result<Metrics> simulate(const Scenario& scenario, std::string_view policy,
                         const std::vector<control::SubnetProfile>& sizes, std::uint64_t seed) {
  ASSIGN_OR_RETURN(const auto made, make_policy(policy, sizes));
  SimulatedServer server(sizes, scenario.contention, seed);
  ASSIGN_OR_RETURN(const auto outcomes, serve(scenario.arrivals, scenario.serving, *made, server));
  return measure(outcomes, accuracies(sizes));
}

OfflineOptimum optimum(const Scenario& scenario, const std::vector<control::SubnetProfile>& sizes,
                       std::uint64_t seed) {
  const SimulatedServer server(sizes, scenario.contention, seed);
  std::vector<Time> deadlines;
  for (const Time arrival : scenario.arrivals) deadlines.push_back(arrival + scenario.serving.deadline);
  return offline_optimum(scenario.arrivals, deadlines, accuracies(sizes),
                         [&](int request, int subnet, Time start) {
                           return server.end_of(subnet, static_cast<std::size_t>(request), start);
                         });
}

std::vector<double> accuracies(const std::vector<control::SubnetProfile>& sizes) {
  std::vector<double> result;
  for (const control::SubnetProfile& size : sizes) result.push_back(size.accuracy);
  return result;
}

}  // namespace concertina::simulation
