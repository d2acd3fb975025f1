#include "slo/designs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "base/random.h"
#include "slo/testing.h"

namespace concertina::slo {
namespace {

using ::testing::HasSubstr;
using testing::latency_bound;
using testing::make_candidate;

AnticipatedState make_state(double slow_down, std::vector<Bound> bounds, double arrivals = 0) {
  return {.name = "state",
          .machine = {},
          .slow_down = slow_down,
          .arrivals = arrivals,
          .bounds = std::move(bounds)};
}

Design design_for(const Slo& slo, const std::vector<Candidate>& candidates, std::size_t state = 0) {
  const Solution solution = solve(slo, candidates);
  return solution.designs[solution.outcomes[state].design].design;
}

/// What solve() promises, the plain way: without arrivals, of one objective for latency and one for accuracy.
struct Twin {
  const Slo& slo;
  const std::vector<Candidate>& candidates;

  double latency(const Candidate& c, const AnticipatedState& state, double quantile) const {
    return state.slow_down * c.times.at(quantile);
  }

  double excess(const Candidate& c, const AnticipatedState& state) const {
    double sum = 0;
    for (const Bound& bound : state.bounds) {
      const double ms = latency(c, state, bound.of.quantile);
      if (bound.of.metric == Metric::latency) sum += std::max(0.0, (ms - bound.limit) / bound.limit);
      if (bound.of.metric == Metric::accuracy) sum += std::max(0.0, (bound.limit - c.accuracy) / bound.limit);
    }
    return sum;
  }

  /// [0]: excess, [1]: loss.
  std::array<double, 2> cost(const Candidate& c, const AnticipatedState& state) const {
    const double quantile = slo.soft[0].of.quantile;
    bool some = false;
    for (const Candidate& other : candidates) some |= excess(other, state) == 0;
    double fastest = 1e300, slowest = 0, best = 0, worst = 1;
    for (const Candidate& other : candidates) {
      if (some && excess(other, state) > 0) continue;
      fastest = std::min(fastest, latency(other, state, quantile));
      slowest = std::max(slowest, latency(other, state, quantile));
      best = std::max(best, other.accuracy);
      worst = std::min(worst, other.accuracy);
    }
    const double w = slo.soft[0].weight, v = slo.soft[1].weight;
    double loss = 0;
    const double target = slo.soft[0].target.value_or(fastest);
    if (slowest > fastest)
      loss += w / (w + v) * std::max(0.0, latency(c, state, quantile) - target) / (slowest - fastest);
    if (best > worst) loss += v / (w + v) * (best - c.accuracy) / (best - worst);
    return {excess(c, state), loss};
  }

  /// Of the best choice of at most `most` candidates, all of them considered, by the costs' sums.
  std::array<double, 2> least(std::size_t most) const {
    std::array<double, 2> least = {1e300, 1e300};
    for (unsigned choice = 1; choice < 1u << candidates.size(); ++choice) {
      if (static_cast<std::size_t>(std::popcount(choice)) > most) continue;
      std::array<double, 2> sum = {0, 0};
      for (const AnticipatedState& state : slo.states) {
        std::array<double, 2> served = {1e300, 1e300};
        for (std::size_t i = 0; i < candidates.size(); ++i) {
          if ((choice >> i & 1) != 0) served = std::min(served, cost(candidates[i], state));
        }
        sum = {sum[0] + served[0], sum[1] + served[1]};
      }
      least = std::min(least, sum);
    }
    return least;
  }
};

std::vector<Candidate> some_candidates(const CounterRandom& random, int count) {
  std::vector<Candidate> candidates;
  for (int i = 0; i < count; ++i) {
    const auto at = static_cast<std::uint64_t>(10 * i);
    candidates.push_back(make_candidate(i, 0.5 + 0.4 * random.uniform(at), 1 + 9 * random.uniform(at + 1)));
  }
  return candidates;
}

Slo some_slo(const CounterRandom& random, int states) {
  Slo slo;
  slo.soft = {{.of = {Metric::latency, 0.5}, .target = {}, .weight = 0.1 + random.uniform(1000)},
              {.of = {Metric::accuracy}, .target = {}, .weight = 0.1 + random.uniform(1001)}};
  if (random.below(2, 1002) == 0) slo.soft[0].target = 3;
  for (int i = 0; i < states; ++i) {
    const auto at = static_cast<std::uint64_t>(2000 + 10 * i);
    slo.states.push_back(
        make_state(1 + 3 * random.uniform(at), {latency_bound(0.9, 3 + 15 * random.uniform(at + 1)),
                                                {{Metric::accuracy}, 0.4 + 0.4 * random.uniform(at + 2)}}));
  }
  return slo;
}

std::array<double, 2> sum_of(const Solution& solution) {
  Score sum;
  for (const StateOutcome& outcome : solution.outcomes) sum += outcome.cost;
  return {sum.excess, sum.loss};
}

TEST(Designs, AreAsGoodAsTheBestOfAllChoices) {
  int infeasible = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const CounterRandom random(seed);
    const std::vector<Candidate> candidates = some_candidates(random, 7);
    const Slo slo = some_slo(random, 5);
    const Solution solution = solve(slo, candidates);
    const auto expected = Twin{slo, candidates}.least(candidates.size());
    EXPECT_NEAR(sum_of(solution)[0], expected[0], 1e-9) << seed;
    EXPECT_NEAR(sum_of(solution)[1], expected[1], 1e-9) << seed;
    for (const StateOutcome& outcome : solution.outcomes) infeasible += !outcome.cost.feasible();
  }
  EXPECT_GT(infeasible, 50);  // both kinds of states were there
  EXPECT_LT(infeasible, 900);
}

/// The same search, by bit masks.
std::array<double, 2> least_of(const std::vector<std::vector<Score>>& costs,
                               const std::vector<std::size_t>& winners, std::size_t most) {
  std::array<double, 2> least = {1e300, 1e300};
  for (unsigned choice = 1; choice < 1u << winners.size(); ++choice) {
    if (static_cast<std::size_t>(std::popcount(choice)) != most) continue;
    Score sum;
    for (const auto& state : costs) {
      Score served{1e300, 1e300, 1e300};
      for (std::size_t i = 0; i < winners.size(); ++i) {
        if ((choice >> i & 1) != 0) served = std::min(served, state[winners[i]]);
      }
      sum += served;
    }
    least = std::min(least, {sum.excess, sum.loss});
  }
  return least;
}

TEST(Designs, AreTheBestFewOfTheStatesOwn) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const CounterRandom random(seed);
    const std::vector<std::size_t> winners = {0, 2, 3, 5, 7, 8};
    std::vector<std::vector<Score>> costs(9, std::vector<Score>(9));
    std::uint64_t counter = 0;
    for (auto& state : costs) {
      for (Score& cost : state) {
        cost.excess = random.below(3, counter++) == 0 ? random.uniform(counter++) : 0;
        cost.loss = random.uniform(counter++);
      }
    }
    for (const std::size_t most : {1u, 3u, 6u}) {
      const std::vector<std::size_t> chosen = choose_few(costs, winners, most);
      ASSERT_EQ(chosen.size(), most);
      EXPECT_EQ(least_of(costs, chosen, most), least_of(costs, winners, most)) << seed << ", " << most;
    }
    EXPECT_EQ(choose_few(costs, winners, 8), winners);
  }
}

TEST(Designs, AreNoMoreThanAsked) {
  std::vector<Candidate> candidates;
  for (int i = 0; i < 30; ++i) candidates.push_back(make_candidate(i, 0.9 - 0.01 * i, 10 - 0.3 * i));
  Slo slo;
  for (int i = 0; i < static_cast<int>(Slo::kMaxStates); ++i)
    slo.states.push_back(make_state(1, {latency_bound(0.9, 1.5 + 0.4 * i)}));
  const Solution many = solve(slo, candidates, slo.states.size()), few = solve(slo, candidates, 3);
  EXPECT_GT(many.designs.size(), 4u);
  EXPECT_EQ(few.designs.size(), 3u);
  EXPECT_LE(sum_of(many), sum_of(few));
  for (std::size_t i = 0; i < slo.states.size(); ++i) {
    EXPECT_EQ(few.outcomes[i].best, many.outcomes[i].cost);
    EXPECT_LE(few.outcomes[i].best, few.outcomes[i].cost);
  }
}

TEST(Designs, AimAtAccuracyIfNothingIsSaid) {
  const std::vector<Candidate> candidates = {make_candidate(0, 0.9, 10), make_candidate(1, 0.8, 5),
                                             make_candidate(2, 0.7, 2)};
  Slo slo;
  slo.states = {make_state(1, {latency_bound(0.5, 6)}), make_state(2.5, {latency_bound(0.5, 6)})};
  EXPECT_EQ(design_for(slo, candidates, 0).subnet, 1);
  EXPECT_EQ(design_for(slo, candidates, 1).subnet, 2);
  EXPECT_NEAR(solve(slo, candidates).outcomes[0].holds_up_to, 6.0 / 5, 1e-9);
}

TEST(Designs, OfEqualOnesTheModestIsTaken) {
  const std::vector<Candidate> candidates = {make_candidate(0, 0.9, 5, 2, 4), make_candidate(0, 0.9, 5, 1, 4),
                                             make_candidate(0, 0.9, 5, 1, 1),
                                             make_candidate(1, 0.8, 4, 1, 1)};
  Slo slo;
  slo.states = {make_state(1, {latency_bound(0.5, 6)})};
  EXPECT_EQ(design_for(slo, candidates), (Design{.subnet = 0, .threads = 1, .batch = 1}));
}

TEST(Designs, TakeTheLeastViolatingIfNoneIsFeasible) {
  const std::vector<Candidate> candidates = {make_candidate(0, 0.9, 9), make_candidate(1, 0.8, 5),
                                             make_candidate(2, 0.3, 4)};
  Slo slo;
  slo.states = {make_state(1, {latency_bound(0.5, 3), {{Metric::accuracy}, 0.85}})};
  const Solution solution = solve(slo, candidates);
  // Misses of 200 %; 67 % and 6 %; 33 % and 65 %.
  EXPECT_EQ(solution.designs[0].design.subnet, 1);
  EXPECT_FALSE(solution.outcomes[0].cost.feasible());
  EXPECT_NEAR(solution.outcomes[0].cost.excess, 2.0 / 3 + 0.05 / 0.85, 1e-9);
  EXPECT_EQ(solution.outcomes[0].holds_up_to, 0);
}

TEST(Designs, RatherAnswerLateThanNever) {
  const std::vector<Candidate> candidates = {make_candidate(0, 0.9, 12), make_candidate(1, 0.5, 9),
                                             make_candidate(2, 0.1, 4)};
  Slo slo;
  slo.states = {make_state(1, {{{Metric::accuracy}, 0.9}}, 100)};
  EXPECT_EQ(design_for(slo, candidates).subnet, 1);  // 0 cannot answer 100 a second, 2 is less accurate
  slo.states = {make_state(4, {{{Metric::accuracy}, 0.9}}, 100)};
  EXPECT_EQ(design_for(slo, candidates).subnet, 2);  // none can
  EXPECT_NEAR(solve(slo, candidates).outcomes[0].cost.overload, 0.1 * 4 * 4 * 1.0105 - 1, 1e-9);
}

TEST(Designs, KeepToEveryMetric) {
  const std::vector<Candidate> candidates = {make_candidate(0, 0.9, 20, 2, 8),
                                             make_candidate(0, 0.9, 10, 1, 1)};
  const auto chosen = [&](Metric metric, double limit, double arrivals = 0) {
    Slo slo;
    slo.states = {make_state(1, {{{metric}, limit}}, arrivals)};
    return design_for(slo, candidates).batch;
  };
  EXPECT_EQ(chosen(Metric::throughput, 300), 8);
  EXPECT_EQ(chosen(Metric::throughput, 90), 1);
  EXPECT_EQ(chosen(Metric::utilisation, 0.5, 80), 8);
  EXPECT_EQ(chosen(Metric::memory, 2000), 1);
  EXPECT_EQ(chosen(Metric::threads, 1), 1);
  EXPECT_EQ(chosen(Metric::batch, 4), 1);
  EXPECT_EQ(chosen(Metric::macs, 1.5e7), 1);
}

TEST(Candidates, AreWhatTheTableHas) {
  const std::vector<SubnetInfo> subnets = {
      {.subnet = {{8, 4}},
       .macs = 800,
       .validation_accuracy = 0.9,
       .test_accuracy = {},
       .own_bytes = 10,
       .scratch_bytes = 100,
       .workspace_bytes = 1000},
      {.subnet = {{4, 4}}, .macs = 400, .validation_accuracy = 0.8, .test_accuracy = {}}};
  latency::LatencyTable table;
  EXPECT_THAT(make_candidates(subnets, table).error().message, HasSubstr("no sub-nets"));
  table.subnets.push_back({.subnet = {{8, 4}}, .batch = 3, .threads = 2, .times = testing::times_around(7)});
  const auto candidates = make_candidates(subnets, table);
  ASSERT_TRUE(candidates) << candidates.error().message;
  ASSERT_EQ(candidates->size(), 1u);
  EXPECT_EQ((*candidates)[0].design, (Design{.subnet = 0, .threads = 2, .batch = 3}));
  EXPECT_EQ((*candidates)[0].memory, 10 + 3 * 100 + 2 * 1000);
  EXPECT_EQ((*candidates)[0].macs, 800);
  table.machine.cores = 1;
  EXPECT_THAT(make_candidates(subnets, table).error().message, HasSubstr("its machine's 1 core only"));
  table.subnets.push_back({.subnet = {{8, 4}}, .times = testing::times_around(9)});
  ASSERT_EQ(make_candidates(subnets, table)->size(), 1u);
  EXPECT_EQ((*make_candidates(subnets, table))[0].design.threads, 1);
  table.subnets.push_back({.subnet = {{6, 4}}, .times = testing::times_around(7)});
  EXPECT_THAT(make_candidates(subnets, table).error().message, HasSubstr("6-4, which the model has not"));
}

}  // namespace
}  // namespace concertina::slo
