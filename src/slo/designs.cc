#include "slo/designs.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <tuple>

namespace concertina::slo {
namespace {

/// All but the loss.
Score violation_of(const Candidate& candidate, const AnticipatedState& state) {
  const double utilisation = predict(candidate, state, {Metric::utilisation});
  Score cost;
  if (utilisation >= 1) cost.overload = std::max(utilisation - 1, std::numeric_limits<double>::min());
  for (const Bound& bound : state.bounds) {
    const double value = predict(candidate, state, bound.of);
    if (std::isfinite(value)) cost.excess += shortfall(bound.of.metric, value, bound.limit);
  }
  return cost;
}

/// The values of a quantity that a state offers: those of its feasible candidates, or, if there are none, of
/// all. Infinite ones do not count.
struct Offer {
  double best;
  double worst;
};

Offer offer_of(const Quantity& quantity, std::span<const double> values, std::span<const Score> costs) {
  const bool some = std::any_of(costs.begin(), costs.end(), [](const Score& c) { return c.feasible(); });
  constexpr double kNone = std::numeric_limits<double>::infinity();
  double least = kNone, most = -kNone;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if ((some && !costs[i].feasible()) || !std::isfinite(values[i])) continue;
    least = std::min(least, values[i]);
    most = std::max(most, values[i]);
  }
  return more_is_better(quantity.metric) ? Offer{most, least} : Offer{least, most};
}

/// Adds the objective's share of the loss. Where all candidates are equally good it tells nothing.
void add_losses(const AnticipatedState& state, const Objective& objective, double weight,
                std::span<const Candidate> candidates, std::span<Score> costs) {
  std::vector<double> values;
  for (const Candidate& candidate : candidates) values.push_back(predict(candidate, state, objective.of));
  const Offer offer = offer_of(objective.of, values, costs);
  const double range = std::abs(offer.worst - offer.best), target = objective.target.value_or(offer.best);
  if (!(range > 0) || !std::isfinite(range)) return;
  const double sign = more_is_better(objective.of.metric) ? 1 : -1;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(values[i]))
      costs[i].loss += weight * std::max(0.0, sign * (target - values[i])) / range;
  }
}

std::size_t cheapest(std::span<const Candidate> candidates, std::span<const Score> costs) {
  const auto key = [&](std::size_t i) {
    const Candidate& c = candidates[i];
    return std::tuple(costs[i], -c.accuracy, c.macs, c.design.threads, c.design.batch);
  };
  std::size_t best = 0;
  for (std::size_t i = 1; i < candidates.size(); ++i) {
    if (key(i) < key(best)) best = i;
  }
  return best;
}

/// By halving the ratio: what is asked of a design only becomes harder as runs become slower.
double holds_up_to(const Candidate& candidate, AnticipatedState state) {
  const auto holds = [&](double slow_down) {
    state.slow_down = slow_down;
    return violation_of(candidate, state).feasible();
  };
  double low = state.slow_down, high = Slo::kMaxSlowDown;
  if (!holds(low)) return 0;
  if (holds(high)) return high;
  for (int i = 0; i < 50; ++i) {
    const double middle = std::sqrt(low * high);
    (holds(middle) ? low : high) = middle;
  }
  return low;
}

/// Goes through all choices of a given size, extending one winner at a time.
class Search {
 public:
  Search(const std::vector<std::vector<Score>>& costs, std::span<const std::size_t> winners, std::size_t size)
      : costs_(costs), winners_(winners), size_(size) {}

  std::vector<std::size_t> run() {
    extend(0, {});
    return best_;
  }

 private:
  /// `served`: each state's cost by the winners chosen so far; empty at first.
  void extend(std::size_t next, const std::vector<Score>& served) {
    if (chosen_.size() == size_) return keep_if_best(served);
    const std::size_t missing = size_ - chosen_.size();
    for (std::size_t i = next; i + missing <= winners_.size(); ++i) {
      chosen_.push_back(winners_[i]);
      std::vector<Score> with(costs_.size());
      for (std::size_t s = 0; s < costs_.size(); ++s) {
        const Score& cost = costs_[s][winners_[i]];
        with[s] = served.empty() ? cost : std::min(served[s], cost);
      }
      extend(i + 1, with);
      chosen_.pop_back();
    }
  }

  void keep_if_best(const std::vector<Score>& served) {
    Score sum;
    for (const Score& cost : served) sum += cost;
    if (least_ && !(sum < *least_)) return;
    least_ = sum;
    best_ = chosen_;
  }

  const std::vector<std::vector<Score>>& costs_;
  std::span<const std::size_t> winners_;
  std::size_t size_;
  std::vector<std::size_t> chosen_;
  std::vector<std::size_t> best_;
  std::optional<Score> least_;
};

}  // namespace

Score& Score::operator+=(const Score& other) {
  overload += other.overload;
  excess += other.excess;
  loss += other.loss;
  return *this;
}

std::vector<Score> costs_in(const AnticipatedState& state, std::span<const Objective> soft,
                            std::span<const Candidate> candidates) {
  std::vector<Score> costs;
  for (const Candidate& candidate : candidates) costs.push_back(violation_of(candidate, state));
  double weights = 0;
  for (const Objective& objective : soft) weights += objective.weight;
  for (const Objective& objective : soft)
    add_losses(state, objective, objective.weight / weights, candidates, costs);
  return costs;
}

Solution solve(const Slo& slo, std::span<const Candidate> candidates, std::size_t most) {
  std::vector<std::size_t> winners;  // without repetition
  std::vector<std::vector<Score>> costs;
  Solution solution;
  for (const AnticipatedState& state : slo.states) {
    costs.push_back(costs_in(state, slo.soft, candidates));
    const std::size_t best = cheapest(candidates, costs.back());
    solution.outcomes.push_back({.best = costs.back()[best]});
    if (std::find(winners.begin(), winners.end(), best) == winners.end()) winners.push_back(best);
  }
  const std::vector<std::size_t> chosen = choose_few(costs, winners, most);
  for (const std::size_t i : chosen) solution.designs.push_back(candidates[i]);
  for (std::size_t s = 0; s < slo.states.size(); ++s) {
    StateOutcome& outcome = solution.outcomes[s];
    std::vector<Score> offered;
    for (const std::size_t i : chosen) offered.push_back(costs[s][i]);
    outcome.design = cheapest(solution.designs, offered);
    outcome.cost = offered[outcome.design];
    outcome.holds_up_to = holds_up_to(solution.designs[outcome.design], slo.states[s]);
  }
  return solution;
}

std::vector<std::size_t> choose_few(const std::vector<std::vector<Score>>& costs,
                                    std::span<const std::size_t> winners, std::size_t most) {
  return Search(costs, winners, std::min(most, winners.size())).run();
}

}  // namespace concertina::slo
