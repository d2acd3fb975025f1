#pragma once

#include <string>
#include <vector>

#include "simulation/contention.h"
#include "simulation/offline_optimum.h"
#include "simulation/server.h"

namespace concertina::simulation {

/// What requests come and what else the machine does, by names as parse_arrivals() and parse_contention()
/// take them, and how much of it.
struct ScenarioOptions {
  std::string arrivals = "poisson";
  std::string contention = "none";
  std::filesystem::path traces = {};  ///< the folder of the recorded ones
  int requests = 5000;
  double load = 0.8;       ///< the share of the time that the largest sub-net would take for all, when quiet
  double deadline_ms = 0;  ///< from each arrival; 0: five times the largest sub-net's median
  double quantile = 0.99;
  std::uint64_t seed = 1;
};

/// One stream of requests on one machine.
struct Scenario {
  std::vector<Time> arrivals;
  Contention contention;
  ServeOptions serving;
};

/// Fails on a name that is not known, a file that cannot be read, or a number out of range. Precondition:
/// sizes are those of a model, the largest first.
Result<Scenario> make_scenario(const ScenarioOptions& options,
                               const std::vector<control::SubnetProfile>& sizes);

/// What a policy, by its name, makes of it on a simulated machine.
Result<Metrics> simulate(const Scenario& scenario, std::string_view policy,
                         const std::vector<control::SubnetProfile>& sizes, std::uint64_t seed);

/// What could be made of it by one who knew all beforehand.
OfflineOptimum optimum(const Scenario& scenario, const std::vector<control::SubnetProfile>& sizes,
                       std::uint64_t seed);

/// The sub-nets' accuracies.
std::vector<double> accuracies(const std::vector<control::SubnetProfile>& sizes);

}  // namespace concertina::simulation
