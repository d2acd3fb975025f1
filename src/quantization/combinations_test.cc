#include "quantization/combinations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace concertina::quantization {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// Up to three options a layer; some layers leave no choice.
LayerOptions random_layers(int count, std::uint64_t seed) {
  const CounterRandom random(seed);
  LayerOptions layers;
  std::uint64_t next = 0;
  for (int i = 0; i < count; ++i) {
    std::vector<LayerOption>& options = layers.emplace_back();
    const auto options_of_layer = random.below(4, next++);
    for (std::uint64_t option = 0; option < options_of_layer; ++option) {
      const double cost = random.uniform(next++);
      options.push_back({.cost = cost, .loss = option == 0 ? 0 : random.uniform(next++)});
    }
  }
  return layers;
}

/// Every combination there is.
std::vector<Estimate> all_of(const LayerOptions& layers) {
  std::vector<Combination> all = {{}};
  for (const std::vector<LayerOption>& options : layers) {
    std::vector<Combination> longer;
    for (const Combination& before : all) {
      for (int option = options.empty() ? kNoOption : 0; option < std::ssize(options); ++option) {
        longer.push_back(before);
        longer.back().push_back(option);
      }
    }
    all = std::move(longer);
  }
  std::vector<Estimate> estimates;
  for (const Combination& options : all) estimates.push_back(estimate(layers, options));
  return estimates;
}

TEST(Combinations, AreTheFrontOfAllThatThereAre) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const LayerOptions layers = random_layers(7, seed);
    const std::vector<Estimate> best = best_combinations(layers), all = all_of(layers);
    for (const Estimate& one : best) {
      EXPECT_NEAR(one.cost, estimate(layers, one.options).cost, 1e-12);
      EXPECT_NEAR(one.loss, estimate(layers, one.options).loss, 1e-12);
    }
    for (std::size_t i = 1; i < best.size(); ++i) {
      EXPECT_LT(best[i - 1].cost, best[i].cost);
      EXPECT_GT(best[i - 1].loss, best[i].loss);
    }
    for (const Estimate& any : all) {
      EXPECT_TRUE(std::any_of(best.begin(), best.end(), [&](const Estimate& one) {
        return one.cost <= any.cost + 1e-12 && one.loss <= any.loss + 1e-12;
      }));
    }
  }
}

TEST(Combinations, OfManyLayersAreFewAndNearTheFront) {
  const CounterRandom random(7);
  LayerOptions layers;
  for (std::uint64_t i = 0; i < 24; ++i)
    layers.push_back({{.cost = 1}, {.cost = random.uniform(2 * i), .loss = random.uniform(2 * i + 1)}});
  const std::vector<Estimate> exact = best_combinations(layers, 1'000'000),
                              few = best_combinations(layers, 50);
  EXPECT_GT(exact.size(), 100U);
  EXPECT_LE(few.size(), 50U);
  const double bound = 24 * (exact.back().cost - exact.front().cost) / 49;
  for (const Estimate& one : exact) {
    EXPECT_TRUE(std::any_of(few.begin(), few.end(), [&](const Estimate& near) {
      return near.loss <= one.loss + 1e-12 && near.cost <= one.cost + bound;
    }));
  }
}

TEST(Combinations, WithoutLayersThereIsOne) {
  EXPECT_THAT(best_combinations({}), SizeIs(1));
  EXPECT_THAT(best_combinations({{}, {}})[0].options, ElementsAre(kNoOption, kNoOption));
}

TEST(Combinations, AreTakenAtEvenCosts) {
  const LayerOptions layers = {{{.cost = 4}, {.cost = 1, .loss = 3}}, {{.cost = 3}, {.cost = 2, .loss = 1}}};
  const std::vector<Estimate> best = best_combinations(layers);  // costs 3, 4, 6, 7
  ASSERT_THAT(best, SizeIs(4));
  const auto costs = [&](double highest, int count) {
    std::vector<double> found;
    for (const Estimate& one : at_even_costs(best, highest, count)) found.push_back(one.cost);
    return found;
  };
  EXPECT_THAT(costs(7, 4), ElementsAre(3, 4, 6));
  EXPECT_THAT(costs(7, 2), ElementsAre(3, 4));
  EXPECT_THAT(costs(7, 1), ElementsAre(3));
  EXPECT_THAT(costs(2, 3), ElementsAre(3)) << "the cheapest costs more than the end";
}

TEST(Combinations, OfRandomHaveEveryOption) {
  const LayerOptions layers = {{{}, {}}, {}, {{}, {}, {}}};
  std::vector<std::vector<int>> seen = {{0, 0}, {}, {0, 0, 0}};
  for (std::uint64_t stream = 0; stream < 60; ++stream) {
    const Combination options = random_combination(layers, CounterRandom(1, stream));
    EXPECT_EQ(options[1], kNoOption);
    for (const std::size_t layer : {0U, 2U}) ++seen[layer][options[layer]];
  }
  for (const std::size_t layer : {0U, 2U}) {
    for (const int times : seen[layer]) EXPECT_GT(times, 8);
  }
}

TEST(Combinations, CountWhatSeveralSubnetsUseOnce) {
  const OptionBytes bytes = {{40, 10}, {8, 2}};
  const std::vector<Combination> subnets = {{0, 1}, {1, 1}, {kNoOption, 1}};
  EXPECT_EQ(bytes_of(bytes, subnets), 40 + 10 + 2);
}

/// Of all choices.
std::optional<double> least_time(const std::vector<std::vector<Candidate>>& subnets, const OptionBytes& bytes,
                                 std::int64_t most) {
  std::optional<double> least;
  std::vector<std::size_t> at(subnets.size());
  for (bool more = true; more;) {
    std::vector<Combination> chosen;
    double time = 0;
    for (std::size_t i = 0; i < at.size(); ++i) {
      chosen.push_back(subnets[i][at[i]].options);
      time += std::log(subnets[i][at[i]].milliseconds);
    }
    if (bytes_of(bytes, chosen) <= most && (!least || time < *least)) least = time;
    more = false;
    for (std::size_t i = 0; i < at.size() && !more; ++i) {
      more = ++at[i] < subnets[i].size();
      if (!more) at[i] = 0;
    }
  }
  return least;
}

TEST(Combinations, WithinBytesAreTheFastest) {
  int impossible = 0, possible = 0;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const CounterRandom random(seed, 1);
    std::uint64_t next = 0;
    OptionBytes bytes(5);
    LayerOptions layers(5);
    for (std::size_t layer = 0; layer < bytes.size(); ++layer) {
      for (int option = 0; option < 2; ++option) {
        bytes[layer].push_back(1 + static_cast<std::int64_t>(random.below(50, next++)));
        layers[layer].push_back({});
      }
    }
    std::vector<std::vector<Candidate>> subnets(4);
    for (auto& candidates : subnets) {
      for (int i = 0; i < 5; ++i) {
        const CounterRandom stream(seed, 2 + next);
        candidates.push_back({random_combination(layers, stream), 0.1 + random.uniform(next++)});
      }
    }
    for (const std::int64_t most : {60, 120, 170, 1000}) {
      const auto chosen = choose_within(subnets, bytes, most);
      const auto wanted = least_time(subnets, bytes, most);
      ASSERT_EQ(chosen.has_value(), wanted.has_value());
      ++(wanted ? possible : impossible);
      if (!wanted) continue;
      double time = 0;
      std::vector<Combination> combinations;
      for (std::size_t i = 0; i < subnets.size(); ++i) {
        const Candidate& candidate = subnets[i][(*chosen)[i]];
        time += std::log(candidate.milliseconds);
        combinations.push_back(candidate.options);
      }
      EXPECT_NEAR(time, *wanted, 1e-12);
      EXPECT_LE(bytes_of(bytes, combinations), most);
    }
  }
  EXPECT_GT(possible, 30);
  EXPECT_GT(impossible, 10);
}

}  // namespace
}  // namespace concertina::quantization
