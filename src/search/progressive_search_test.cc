#include "search/progressive_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/branches.h"
#include "graph/cost.h"
#include "graph/networks/networks.h"
#include "graph/resolution.h"
#include "search/fake_evaluator.h"

namespace concertina::search {
namespace {

using ::testing::HasSubstr;

Graph network(const char* name) {
  return *make_network({.name = name, .input = {3, 32, 32}});
}

/// A network, a lattice, and a fake that searches on them use.
struct Bench {
  explicit Bench(const char* name, int divisions, FakeLoss loss = nullptr)
      : graph(network(name)),
        groups(*divide_channels(graph, divisions)),
        fake(loss ? loss : smooth_loss(full_subnet(graph)), disk) {}

  Result<std::vector<TrajectoryStep>> search(const SearchOptions& options) {
    Journal journal = Journal::in_memory();
    SilentProgress silent;
    return progressive_search(graph, groups, fake, options, journal, silent);
  }
  std::int64_t uniform_macs(int kept) const { return cost(graph, uniform_subnet(groups, kept)).macs; }

  Graph graph;
  ChannelGroups groups;
  FakeEvaluator::Disk disk;
  FakeEvaluator fake;
};

int total_evaluations(const std::vector<TrajectoryStep>& trajectory) {
  int total = 0;
  for (const TrajectoryStep& step : trajectory) total += step.evaluations;
  return total;
}

TEST(ProgressiveSearch, WalksResNet20DownToTheUniformQuarter) {
  Bench bench("resnet20", 8);
  const std::int64_t end = bench.uniform_macs(2);
  const auto trajectory = bench.search({.end_macs = end});
  ASSERT_TRUE(trajectory) << trajectory.error().message;

  EXPECT_EQ(trajectory->front().subnet, full_subnet(bench.graph));
  EXPECT_LE(trajectory->back().macs, end);
  EXPECT_GT((*trajectory)[trajectory->size() - 2].macs, end);
  int expected_evaluations = 1;
  for (std::size_t i = 0; i < trajectory->size(); ++i) {
    const TrajectoryStep& step = (*trajectory)[i];
    EXPECT_EQ(step.step, static_cast<int>(i));
    EXPECT_EQ(step.macs, cost(bench.graph, step.subnet).macs);
    EXPECT_EQ(step.parameters, cost(bench.graph, step.subnet).parameters);
    EXPECT_EQ(step.evaluation, *bench.fake.evaluate(step.subnet));
    if (i == 0) continue;
    const TrajectoryStep& last = (*trajectory)[i - 1];
    int candidates = 0;
    int shrunk = 0;
    for (int d = 0; d < bench.graph.layout().free_dimensions; ++d) {
      const auto smaller = bench.groups.shrink(last.subnet, d, 1);
      candidates += smaller.has_value();
      shrunk += smaller == step.subnet;
    }
    EXPECT_EQ(shrunk, 1);
    EXPECT_EQ(step.evaluations, candidates);
    expected_evaluations += candidates;
  }
  EXPECT_EQ(total_evaluations(*trajectory), expected_evaluations);
}

TEST(ProgressiveSearch, KeepsTheFloor) {
  Bench bench("resnet8", 4);
  EXPECT_EQ(bench.search({.floor_groups = 2})->back().subnet, uniform_subnet(bench.groups, 2));
  EXPECT_EQ(bench.search({})->back().subnet, uniform_subnet(bench.groups, 1));
  EXPECT_EQ(bench.search({.floor_groups = 4})->size(), 1u);
  EXPECT_EQ(bench.search({.end_macs = bench.uniform_macs(4)})->size(), 1u);
}

// Each dimension has a convex loss of its own and each group costs the same: greedy is optimal at each size.
struct Separable {
  explicit Separable(const ChannelGroups& g) : groups(g) {}

  int removed(const Subnet& subnet, std::size_t d) const {
    return kGroups - subnet.widths[d] / groups.width(static_cast<int>(d), 1);
  }
  double loss(const Subnet& subnet) const {
    double sum = 0.01;
    for (std::size_t d = 0; d < subnet.widths.size(); ++d) {
      const double weight = 0.01 + 0.013 * std::sqrt(static_cast<double>(d * 5 % 6));
      sum += weight * std::pow(removed(subnet, d), 1.5 + 0.2 * static_cast<double>(d % 3));
    }
    return sum;
  }
  int size(const Subnet& subnet) const {
    int kept = 0;
    for (std::size_t d = 0; d < subnet.widths.size(); ++d) kept += kGroups - removed(subnet, d);
    return kept;
  }
  /// The smallest loss of all sub-nets of each size, by trying all.
  std::map<int, double> optimum() const {
    std::map<int, double> best;
    Subnet subnet = uniform_subnet(groups, 1);
    while (true) {
      const auto [at, fresh] = best.try_emplace(size(subnet), loss(subnet));
      at->second = std::min(at->second, loss(subnet));
      int d = 0;
      for (; d < groups.dimensions() && removed(subnet, d) == 0; ++d) subnet.widths[d] = groups.width(d, 1);
      if (d == groups.dimensions()) return best;
      subnet.widths[d] = groups.width(d, kGroups - removed(subnet, d) + 1);
    }
  }

  static constexpr int kGroups = 4;
  ChannelGroups groups;
};

class SeparableSearch : public ::testing::TestWithParam<Criterion> {
 protected:
  Bench bench_{"resnet8", Separable::kGroups, [this](const Subnet& s, double) { return problem_.loss(s); }};
  Separable problem_{*divide_channels(network("resnet8"), Separable::kGroups)};
  SearchOptions options_{.criterion = GetParam(),
                         .cost = [this](const Subnet& s) { return 0.125 * problem_.size(s); }};
};

TEST_P(SeparableSearch, FindsTheOptimumOfEverySize) {
  const auto trajectory = bench_.search(options_);
  ASSERT_TRUE(trajectory);
  const auto optimum = problem_.optimum();
  ASSERT_EQ(trajectory->size(), optimum.size());
  for (const TrajectoryStep& step : *trajectory) {
    EXPECT_DOUBLE_EQ(step.evaluation.loss, optimum.at(problem_.size(step.subnet))) << to_string(step.subnet);
    EXPECT_EQ(step.cost, 0.125 * problem_.size(step.subnet));
  }
}

TEST_P(SeparableSearch, IsTheSameLazily) {
  const auto eager = *bench_.search(options_);
  options_.refresh_every = 10;
  const auto lazy = *bench_.search(options_);
  ASSERT_EQ(lazy.size(), eager.size());
  for (std::size_t i = 0; i < lazy.size(); ++i) {
    EXPECT_EQ(lazy[i].subnet, eager[i].subnet);
    if (i > 0 && i % 10 == 0) {
      EXPECT_EQ(lazy[i].evaluations, eager[i].evaluations);
    }
  }
  EXPECT_LT(total_evaluations(lazy), total_evaluations(eager) * 3 / 4);
}

INSTANTIATE_TEST_SUITE_P(Criteria, SeparableSearch,
                         ::testing::Values(Criterion::loss_per_cost, Criterion::accuracy));

TEST(ProgressiveSearch, EqualScoresGoToTheFirstDimension) {
  Bench bench("resnet8", 4, [](const Subnet&, double) { return 0.5; });
  const auto trajectory = *bench.search({.criterion = Criterion::accuracy});
  EXPECT_EQ(trajectory[1].subnet.widths[0], 12);
  EXPECT_EQ(trajectory[3].subnet.widths[0], 4);
  EXPECT_EQ(trajectory[4].subnet.widths[1], 12);
}

// Dimension 1 saves a hundredth of what the others save, at a tenth of their loss.
TEST(ProgressiveSearch, CriteriaDiffer) {
  const Subnet full = full_subnet(network("resnet8"));
  const auto weigh = [full](const Subnet& subnet, double first, double others) {
    double sum = 0;
    for (std::size_t d = 0; d < full.widths.size(); ++d) {
      sum += (d == 1 ? first : others) * (1.0 - static_cast<double>(subnet.widths[d]) / full.widths[d]);
    }
    return sum;
  };
  Bench bench("resnet8", 4, [=](const Subnet& s, double) { return 0.1 + weigh(s, 0.1, 1); });
  const CostFunction saved = [=](const Subnet& s) { return 100 - weigh(s, 0.1, 10); };
  EXPECT_NE((*bench.search({.cost = saved}))[1].subnet.widths[1], 12);
  EXPECT_EQ((*bench.search({.criterion = Criterion::accuracy, .cost = saved}))[1].subnet.widths[1], 12);
}

// Dimension 0 saves the most; the loss falls with 2 and, less and at almost no saving, with 3.
TEST(ProgressiveSearch, ALossThatFallsWinsByFallTimesSaving) {
  Bench bench("resnet8", 4, [](const Subnet& s, double) {
    return 1 + 1e-6 * (16 - s.widths[0]) - (s.widths[2] < 32 ? 1e-3 : 0.0) - (s.widths[3] < 32 ? 1e-4 : 0.0);
  });
  const CostFunction saving = [](const Subnet& s) {
    return s.widths[0] + 0.1 * s.widths[2] + 1e-6 * s.widths[3];
  };
  const auto trajectory = *bench.search({.cost = saving});
  EXPECT_EQ(trajectory[1].subnet.widths[2], 24);
  EXPECT_EQ(trajectory[2].subnet.widths[3], 24);
}

TEST(ProgressiveSearch, FineTunesExactlyBelowTheThreshold) {
  Bench bench("resnet8", 4);
  constexpr double kThreshold = 0.95;
  const auto trajectory = *bench.search({.fine_tune_below = kThreshold});
  int version = 0;
  for (const TrajectoryStep& step : trajectory) {
    const Evaluation before = step.before_fine_tuning.value_or(step.evaluation);
    EXPECT_EQ(step.fine_tuned(), before.accuracy < kThreshold);
    if (step.fine_tuned()) {
      EXPECT_GT(step.evaluation.accuracy, before.accuracy);
    }
    version += step.fine_tuned();
    EXPECT_EQ(step.weights_version, version);
  }
  EXPECT_GT(version, 0);
  EXPECT_EQ(bench.fake.fine_tunings, version);
  EXPECT_EQ(bench.search({})->back().weights_version, 0);
}

TEST(ProgressiveSearch, ForgetsScoresAfterFineTuning) {
  Bench bench("resnet8", 4);
  const auto trajectory = *bench.search({.floor_groups = 2, .fine_tune_below = 0.98, .refresh_every = 1000});
  int all = 0;
  int some = 0;
  for (std::size_t i = 2; i < trajectory.size(); ++i) {
    int candidates = 0;
    for (int d = 0; d < 6; ++d) candidates += bench.groups.shrink(trajectory[i - 1].subnet, d, 2).has_value();
    if (trajectory[i - 1].fine_tuned()) {
      EXPECT_EQ(trajectory[i].evaluations, candidates) << i;
      ++all;
    } else {
      some += trajectory[i].evaluations < candidates;
    }
  }
  EXPECT_GT(all, 0);
  EXPECT_GT(some, 0);
}

// The first evaluation, and those after fine-tunings, come alone.
TEST(ProgressiveSearch, TellsWhatItEvaluatesNext) {
  for (const int refresh : {1, 1000}) {
    Bench bench("resnet8", 8);
    ASSERT_TRUE(bench.search({.fine_tune_below = 0.9, .refresh_every = refresh}));
    EXPECT_GT(bench.fake.fine_tunings, 0);
    EXPECT_EQ(bench.fake.surprises, 1 + bench.fake.fine_tunings);
    // It may choose before it has evaluated all.
    EXPECT_EQ(bench.fake.announced > bench.fake.evaluations, refresh > 1);
  }
}

/// Rises as widths fall, but for those of this branch, which only does harm.
double loss_without(const Branch& branch, const Subnet& subnet) {
  const int idle = branch.dimensions[0];
  double loss = 1 + 1e-3 * subnet.widths[idle];
  for (std::size_t d = 0; d < subnet.widths.size(); ++d) {
    if (static_cast<int>(d) != idle) loss += 1.0 / (subnet.widths[d] + 0.1);
  }
  return loss;
}

TEST(ProgressiveSearch, LeavesOutABranchWithElasticDepthOnly) {
  const Graph graph = network("resnet8");
  const Branch block = find_branches(graph)[0];
  const FakeLoss loss = [&](const Subnet& subnet, double) { return loss_without(block, subnet); };
  const int idle = block.dimensions[0];
  Bench deep("resnet8", 4, loss);
  const auto trajectory = deep.search({.end_macs = deep.uniform_macs(2), .axes = {.depth = true}});
  EXPECT_EQ((*trajectory)[1].subnet.widths[idle], 0) << "the largest fall times saving";
  EXPECT_EQ((*trajectory)[1].scores.size(), trajectory->front().subnet.widths.size() + 1)
      << "the other two blocks have projections";
  for (const TrajectoryStep& step : *trajectory) {
    EXPECT_TRUE(check_subnet(deep.graph, step.subnet));
    EXPECT_EQ(step.subnet.widths[idle] == 0, step.step > 0);
  }
  Bench wide("resnet8", 4, loss);
  EXPECT_GT(wide.search({.end_macs = wide.uniform_macs(2)})->back().subnet.widths[idle], 0);
  Bench kept("resnet8", 4, loss);
  kept.groups.keep_whole(idle);
  const auto whole = kept.search({.end_macs = kept.uniform_macs(3), .axes = {.depth = true}});
  EXPECT_EQ(whole->back().subnet.widths[idle], whole->front().subnet.widths[idle]);
}

TEST(ProgressiveSearch, LowersTheResolutionWithElasticResolutionOnly) {
  // Only widths matter.
  const FakeLoss loss = [](const Subnet& subnet, double) {
    double sum = 1;
    for (const int width : subnet.widths) sum += 1.0 / width;
    return sum;
  };
  Bench elastic("resnet8", 4, loss);
  const auto trajectory = elastic.search({.end_macs = elastic.uniform_macs(1), .axes = {.resolution = true}});
  const std::vector<int> lower = resolutions(elastic.graph);
  ASSERT_GT(trajectory->size(), lower.size());
  for (std::size_t i = 0; i < lower.size(); ++i) {
    EXPECT_EQ((*trajectory)[i + 1].subnet, (Subnet{trajectory->front().subnet.widths, lower[i]}));
    EXPECT_EQ((*trajectory)[i + 1].macs, cost(elastic.graph, (*trajectory)[i + 1].subnet).macs);
  }
  EXPECT_EQ(trajectory->back().subnet.resolution, lower.back());
  EXPECT_EQ(trajectory->front().scores.size(), trajectory->front().subnet.widths.size() + 1);
  Bench fixed("resnet8", 4, loss);
  EXPECT_EQ(fixed.search({.end_macs = fixed.uniform_macs(1)})->back().subnet.resolution, 0);
}

// Where all losses are alike, only the prior chooses.
TEST(ProgressiveSearch, FollowsThePriorWhereNothingElseTells) {
  const auto end = [](double tilt) {
    Bench bench("resnet20", 8, [](const Subnet&, double) { return 1.0; });
    return bench.search({.end_macs = bench.uniform_macs(2), .prior = 0.1, .tilt = tilt})->back();
  };
  const Bench bench("resnet20", 8);
  EXPECT_EQ(end(0).subnet, uniform_subnet(bench.groups, 2));
  EXPECT_GT(end(0.5).parameters, end(0).parameters * 5 / 4);
  EXPECT_GT(end(1).parameters, end(0.5).parameters);
}

// A measured difference outweighs a small prior, and a large prior a measured difference.
TEST(ProgressiveSearch, WeighsThePriorAgainstTheLoss) {
  const auto end = [](double prior) {
    Bench bench("resnet20", 8);
    return bench.search({.end_macs = bench.uniform_macs(2), .prior = prior})->back().subnet;
  };
  const Bench bench("resnet20", 8);
  EXPECT_EQ(end(0), end(1e-9));
  EXPECT_NE(end(0), uniform_subnet(bench.groups, 2));
  EXPECT_EQ(end(1e9), uniform_subnet(bench.groups, 2));
}

std::string refusal(Bench& bench, const SearchOptions& options) {
  const auto trajectory = bench.search(options);
  return trajectory ? "no error" : trajectory.error().message;
}

TEST(ProgressiveSearch, PassesTheEvaluatorsErrorOn) {
  Bench bench("resnet8", 4);
  bench.fake.die_at_call(5);
  EXPECT_EQ(refusal(bench, {}), "killed");
}

TEST(ProgressiveSearch, RefusesWhatIsNoNumberAndNamesTheSubnet) {
  for (const double bad : std::vector<double>{NAN, INFINITY, -1.0}) {  // of -1 the accuracy is 1.25
    Bench bench("resnet8", 4, [bad](const Subnet& s, double) { return s.widths[1] < 16 ? bad : 1.0; });
    EXPECT_THAT(refusal(bench, {}), HasSubstr("sub-net 16-12-32-32-64-64"));
  }
  Bench bench("resnet8", 4);
  EXPECT_THAT(refusal(bench, {.cost = [](const Subnet&) { return 0.0; }}),
              HasSubstr("check the latency table"));
}

TEST(ProgressiveSearch, RefusesImpossibleOptions) {
  Bench bench("resnet8", 4);
  EXPECT_THAT(refusal(bench, {.floor_groups = 0}), HasSubstr("floor_groups"));
  EXPECT_THAT(refusal(bench, {.refresh_every = 0}), HasSubstr("refresh_every"));
  EXPECT_THAT(refusal(bench, {.prior = -1}), HasSubstr("prior"));
  EXPECT_THAT(refusal(bench, {.prior = NAN}), HasSubstr("prior"));
  EXPECT_THAT(refusal(bench, {.tilt = 1.5}), HasSubstr("tilt"));
  EXPECT_THAT(refusal(bench, {.tilt = NAN}), HasSubstr("tilt"));
  EXPECT_THAT(refusal(bench, {.fine_tune_below = 80}), HasSubstr("fine_tune_below"));
  EXPECT_THAT(refusal(bench, {.fine_tune_below = NAN}), HasSubstr("fine_tune_below"));
}

TEST(SearchFingerprint, DependsOnAllThatTheSearchDoes) {
  const Bench bench("resnet8", 4);
  const auto print = [&](const Bench& b, const SearchOptions& o) {
    return search_fingerprint(b.graph, b.groups, o, "c");
  };
  const Fingerprint plain = print(bench, {});
  EXPECT_EQ(plain, print(bench, {}));
  EXPECT_NE(plain, print(Bench("resnet20", 4), {}));
  EXPECT_NE(plain, print(Bench("resnet8", 8), {}));
  EXPECT_NE(plain, search_fingerprint(bench.graph, bench.groups, {}, "d"));
  EXPECT_NE(plain, print(bench, {.criterion = Criterion::accuracy}));
  EXPECT_NE(plain, print(bench, {.cost = [](const Subnet&) { return 1.0; }}));
  EXPECT_NE(plain, print(bench, {.end_macs = 1}));
  EXPECT_NE(plain, print(bench, {.floor_groups = 2}));
  EXPECT_NE(plain, print(bench, {.axes = {.depth = true}}));
  EXPECT_NE(plain, print(bench, {.axes = {.resolution = true}}));
  EXPECT_NE(plain, print(bench, {.prior = 1}));
  EXPECT_NE(print(bench, {.prior = 1}), print(bench, {.prior = 1, .tilt = 0.5}));
  EXPECT_NE(plain, print(bench, {.fine_tune_below = 0.5}));
  EXPECT_NE(plain, print(bench, {.refresh_every = 2}));
}

}  // namespace
}  // namespace concertina::search
