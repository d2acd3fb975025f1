#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "graph/channel_groups.h"
#include "search/journal.h"
#include "search/moves.h"

namespace concertina::search {

/// What a sub-net costs to run, in any unit; positive and finite.
using CostFunction = std::function<double(const Subnet&)>;

/// cost(subnet). Fails, naming the sub-net, unless it is positive and finite.
Result<double> checked_cost(const CostFunction& cost, const Subnet& subnet);

/// Which candidate a step commits.
enum class Criterion {
  /// The smallest loss increase per cost saved. A candidate whose loss falls beats every other one; among
  /// such, the one with the largest fall times saving.
  loss_per_cost,
  /// The highest accuracy, as in arXiv:2009.05681; of equal ones the smallest loss.
  accuracy,
};

struct SearchOptions {
  Criterion criterion = Criterion::loss_per_cost;
  CostFunction cost = {};      ///< MACs if empty
  std::int64_t end_macs = 0;   ///< ends with the first sub-net of at most so many MACs: those of
                               ///< uniform_subnet(), for example, or a fraction of the full network's
  double prior = 0;            ///< with loss_per_cost: adds prior * ShrinkingPrior to every loss; 0 = none
  double tilt = 0;             ///< of that ShrinkingPrior
  int floor_groups = 1;        ///< groups that every dimension keeps
  Axes axes = {};              ///< besides widths
  double fine_tune_below = 0;  ///< fine-tunes a step of lower accuracy (0 .. 1) up to this; 0 = never
  /// Evaluates every candidate at each step whose number is a multiple of this; 1 = at every step. In
  /// between, a candidate is evaluated again only if its last known score is the best (lazy greedy, Minoux
  /// 1978): the same result with fewer evaluations as long as scores only worsen as the sub-net shrinks.
  int refresh_every = 1;
};

/// Fails with the option that is out of its range.
Status check_options(const SearchOptions& options);

/// options.cost, or that which counts MACs. Precondition: the graph outlives it.
CostFunction cost_function(const Graph& graph, const SearchOptions& options);

/// The key of this search's journal. `context` names what else the evaluator and the cost function depend on:
/// weights, data, seed, fine-tuning, latency table.
Fingerprint search_fingerprint(const Graph& graph, const ChannelGroups& groups, const SearchOptions& options,
                               std::string_view context);

}  // namespace concertina::search
