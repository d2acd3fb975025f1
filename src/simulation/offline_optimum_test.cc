#include "simulation/offline_optimum.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "base/random.h"
#include "simulation/arrivals.h"
#include "simulation/contention.h"
#include "simulation/metrics.h"

namespace concertina::simulation {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

struct Instance {
  std::vector<Time> arrivals;
  std::vector<Time> deadlines;
  std::vector<double> accuracies;
  std::vector<std::vector<Time>> work;  ///< [request][subnet]
  Contention contention;

  Time run_end(int request, int subnet, Time start) const {
    return contention.finish(start, work[request][subnet]);
  }
  OfflineOptimum optimum(int resolution) const {
    return offline_optimum(
        arrivals, deadlines, accuracies,
        [this](int request, int subnet, Time start) { return run_end(request, subnet, start); }, resolution);
  }
};

/// The greatest sum of accuracies of the requests that are not yet done, in any order: every way is tried.
double best_of_all(const Instance& instance, Time free, std::vector<bool>& done) {
  double best = 0;
  for (std::size_t i = 0; i < done.size(); ++i) {
    if (done[i]) continue;
    done[i] = true;
    for (std::size_t s = 0; s < instance.accuracies.size(); ++s) {
      const Time end =
          instance.run_end(static_cast<int>(i), static_cast<int>(s), std::max(free, instance.arrivals[i]));
      if (end <= instance.deadlines[i])
        best = std::max(best, instance.accuracies[s] + best_of_all(instance, end, done));
    }
    done[i] = false;
  }
  return best;
}

double best_yield(const Instance& instance) {
  std::vector<bool> done(instance.arrivals.size());
  return best_of_all(instance, Time(0), done) / static_cast<double>(done.size());
}

/// What comes of a schedule when it is run.
double yield_of(const Instance& instance, const std::vector<int>& subnets) {
  std::vector<Outcome> outcomes;
  Time free{0};
  for (std::size_t i = 0; i < subnets.size(); ++i) {
    Outcome one{.arrival = instance.arrivals[i], .deadline = instance.deadlines[i], .subnet = subnets[i]};
    if (one.answered()) {
      one.start = std::max(free, one.arrival);
      free = one.end = instance.run_end(static_cast<int>(i), one.subnet, one.start);
    }
    outcomes.push_back(one);
  }
  return measure(outcomes, instance.accuracies).yield;
}

/// Arrivals of about one a microsecond, deadlines `slack` later, runs of 1.8, 1.2 and 0.7 in the mean.
Instance random_instance(int count, Time slack, const Contention& contention, std::uint64_t seed) {
  Instance instance{.arrivals = *make_arrivals(GammaArrivals(), count, 1e6, seed),
                    .deadlines = {},
                    .accuracies = {0.93, 0.9, 0.71},
                    .work = {},
                    .contention = contention};
  const CounterRandom random(seed);
  for (std::size_t i = 0; i < instance.arrivals.size(); ++i) {
    instance.deadlines.push_back(instance.arrivals[i] + slack);
    const double noise = 0.8 + 0.4 * random.uniform(i);
    instance.work.push_back({});
    for (const double work : {1800, 1200, 700})
      instance.work.back().push_back(Time(static_cast<Time::rep>(work * noise)));
  }
  return instance;
}

const Contention kQuiet;
const Contention kUneven({{1us, 1.8}, {2500ns, 1}, {4us, 2.5}, {5us, 1.2}});

TEST(OfflineOptimum, ShrinksWhatWouldMakeTheNextLate) {
  const Instance instance{.arrivals = {0ns, 1ns},
                          .deadlines = {10ns, 11ns},
                          .accuracies = {0.9, 0.7},
                          .work = {{8ns, 3ns}, {8ns, 4ns}},
                          .contention = {}};
  const OfflineOptimum optimum = instance.optimum(100);
  EXPECT_THAT(optimum.subnets, ElementsAre(1, 0));
  EXPECT_DOUBLE_EQ(optimum.yield, 0.8);
  EXPECT_DOUBLE_EQ(optimum.upper_bound, 0.8);
}

TEST(OfflineOptimum, ShedsWhatCannotBeInTime) {
  const Instance instance{.arrivals = {0ns, 0ns, 0ns},
                          .deadlines = {5ns, 5ns, 5ns},
                          .accuracies = {0.9, 0.8},
                          .work = {{6ns, 6ns}, {3ns, 3ns}, {4ns, 2ns}},
                          .contention = {}};
  EXPECT_THAT(instance.optimum(100).subnets, ElementsAre(control::Decision::kShed, 0, 1));
}

TEST(OfflineOptimum, OfNothingIsZero) {
  const OfflineOptimum optimum = Instance().optimum(10);
  EXPECT_EQ(optimum.yield, 0);
  EXPECT_EQ(optimum.upper_bound, 0);
  EXPECT_TRUE(optimum.subnets.empty());
}

TEST(OfflineOptimum, IsExactWhereTheResolutionIs) {
  for (const Contention& contention : {kQuiet, kUneven}) {
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
      const Instance instance = random_instance(6, 2500ns, contention, seed);
      const double best = best_yield(instance);
      const OfflineOptimum optimum = instance.optimum(2500);
      EXPECT_NEAR(optimum.yield, best, 1e-12) << seed;
      EXPECT_NEAR(optimum.upper_bound, best, 1e-12) << seed;
      EXPECT_NEAR(yield_of(instance, optimum.subnets), best, 1e-12) << seed;
    }
  }
}

TEST(OfflineOptimum, IsBoundedWhereTheResolutionIsCoarse) {
  int inexact = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const Instance instance = random_instance(6, 2500ns, kUneven, seed);
    const double best = best_yield(instance);
    const OfflineOptimum optimum = instance.optimum(2);
    EXPECT_LE(optimum.yield, best + 1e-12) << seed;
    EXPECT_GE(optimum.upper_bound, best - 1e-12) << seed;
    EXPECT_NEAR(yield_of(instance, optimum.subnets), optimum.yield, 1e-12) << seed;
    inexact += optimum.upper_bound > optimum.yield + 1e-9;
  }
  EXPECT_GT(inexact, 5);
}

TEST(OfflineOptimum, OfALongTraceIsEnclosedTightly) {
  const Instance instance = random_instance(3000, 8us, kQuiet, 1);
  const OfflineOptimum coarse = instance.optimum(64);
  const OfflineOptimum fine = instance.optimum(512);
  EXPECT_NEAR(yield_of(instance, fine.subnets), fine.yield, 1e-9);
  EXPECT_LT(fine.upper_bound - fine.yield, 0.002);
  EXPECT_LE(coarse.yield, fine.upper_bound);
  EXPECT_LE(fine.yield, coarse.upper_bound);
}

}  // namespace
}  // namespace concertina::simulation
