#include "search/refine_chain.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/try.h"
#include "graph/cost.h"

namespace concertina::search {
namespace {

/// All of one group more or less, and those of the trajectory, that fit between `above` and `below` (none for
/// the last of a chain).
std::vector<Subnet> candidates(const ChannelGroups& groups, const Subnet& subnet, const Subnet& above,
                               const Subnet* below, const RefineOptions& options) {
  std::vector<Subnet> result;
  const auto add = [&](const std::optional<Subnet>& one) {
    if (!one || *one == subnet || !is_nested(*one, above) || *one == above) return;
    if (below && (!is_nested(*below, *one) || *one == *below)) return;
    if (std::find(result.begin(), result.end(), *one) == result.end()) result.push_back(*one);
  };
  for (int d = 0; d < groups.dimensions(); ++d) {
    add(groups.shrink(subnet, d, options.floor_groups));
    add(groups.grow(subnet, d));
  }
  for (const Subnet& passed : options.trajectory) add(passed);
  return result;
}

/// Accuracy that a change of cost by a factor e is worth between two sub-nets of a chain.
double slope(const SelectedSubnet& larger, const SelectedSubnet& smaller) {
  const double way = std::log(larger.cost / smaller.cost);
  return way > 0 ? std::max(0.0, (larger.evaluation.accuracy - smaller.evaluation.accuracy) / way) : 0;
}

}  // namespace

Result<std::vector<SelectedSubnet>> refine_chain(const Graph& graph, const ChannelGroups& groups,
                                                 std::span<const Subnet> chain, Evaluator& evaluator,
                                                 const RefineOptions& options, Progress& progress) {
  const CostFunction cost_of = options.cost ? options.cost : [&](const Subnet& subnet) {
    return static_cast<double>(cost(graph, subnet).macs);
  };
  const auto measure = [&](const Subnet& subnet) -> Result<SelectedSubnet> {
    ASSIGN_OR_RETURN(const Evaluation evaluation, checked(evaluator.evaluate(subnet), subnet));
    ASSIGN_OR_RETURN(const double subnet_cost, checked_cost(cost_of, subnet));
    return SelectedSubnet{0, subnet, evaluation, subnet_cost};
  };
  constexpr double kNoise = 1e-9;  // of the arithmetic: equals stay
  std::vector<SelectedSubnet> refined;
  for (const Subnet& subnet : chain) {
    ASSIGN_OR_RETURN(SelectedSubnet one, measure(subnet));
    one.step = static_cast<int>(refined.size());
    refined.push_back(std::move(one));
  }
  progress.start("refine", static_cast<std::int64_t>(refined.size()));
  for (std::size_t k = 1; k < refined.size(); ++k) {
    const SelectedSubnet* below = k + 1 < refined.size() ? &refined[k + 1] : nullptr;
    const double worth = slope(refined[k - 1], below ? *below : refined[k]);
    const SelectedSubnet original = refined[k];
    double best = original.evaluation.accuracy;
    for (const Subnet& subnet : candidates(groups, original.subnet, refined[k - 1].subnet,
                                           below ? &below->subnet : nullptr, options)) {
      // Nothing smaller tells what accuracy is worth there, and the chain must not lose its smallest size.
      if (!below && cost_of(subnet) > original.cost) continue;
      ASSIGN_OR_RETURN(SelectedSubnet one, measure(subnet));
      const double score = one.evaluation.accuracy - worth * std::log(one.cost / original.cost);
      if (score <= best + kNoise) continue;
      best = score;
      one.step = original.step;
      refined[k] = std::move(one);
    }
    progress.update(static_cast<std::int64_t>(k) + 1,
                    fmt::format("sub-net {}: accuracy {:.1f} %", to_string(refined[k].subnet),
                                100 * refined[k].evaluation.accuracy));
  }
  return refined;
}

}  // namespace concertina::search
