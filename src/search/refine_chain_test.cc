#include "search/refine_chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "graph/cost.h"
#include "graph/networks/networks.h"
#include "search/fake_evaluator.h"

namespace concertina::search {
namespace {

class RefineChain : public ::testing::Test {
 protected:
  std::vector<Subnet> refine(const std::vector<Subnet>& chain, FakeLoss loss,
                             const RefineOptions& options = {}) {
    FakeEvaluator::Disk disk;
    FakeEvaluator fake(std::move(loss), disk);
    EXPECT_TRUE(fake.restore(0));
    SilentProgress silent;
    const auto refined = refine_chain(graph_, groups_, chain, fake, options, silent);
    EXPECT_TRUE(refined);
    std::vector<Subnet> subnets;
    for (const SelectedSubnet& one : *refined) subnets.push_back(one.subnet);
    return subnets;
  }

  const Graph graph_ = *make_network({.name = "resnet8", .input = {3, 32, 32}});
  const ChannelGroups groups_ = *divide_channels(graph_, 4);
  const std::vector<Subnet> chain_ = {uniform_subnet(groups_, 4), uniform_subnet(groups_, 3),
                                      uniform_subnet(groups_, 2), uniform_subnet(groups_, 1)};
};

TEST_F(RefineChain, LeavesAChainAloneThatIsBestAsItIs) {
  const auto chain = chain_;
  EXPECT_EQ(refine(chain,
                   [&](const Subnet& subnet, double) {
                     return std::find(chain.begin(), chain.end(), subnet) != chain.end() ? 0.1 : 3.0;
                   }),
            chain);
}

TEST_F(RefineChain, TakesABetterNeighbourAndStaysAChain) {
  // Dimension 1 is worth nothing; the others are worth much.
  const auto loss = [](const Subnet& subnet, double) {
    double sum = 0;
    for (std::size_t d = 0; d < subnet.widths.size(); ++d) sum += d == 1 ? 0 : 1.0 / subnet.widths[d];
    return sum;
  };
  const auto refined = refine(chain_, loss);
  ASSERT_EQ(refined.size(), chain_.size());
  EXPECT_EQ(refined[0], chain_[0]);
  EXPECT_NE(refined, chain_);
  for (std::size_t k = 1; k < refined.size(); ++k) {
    EXPECT_TRUE(is_nested(refined[k], refined[k - 1]));
    EXPECT_NE(refined[k], refined[k - 1]);
    EXPECT_TRUE(check_subnet(graph_, refined[k]));
  }
}

TEST_F(RefineChain, TakesASubnetOfTheTrajectoryThatFits) {
  // No neighbour of uniform_subnet(2): two dimensions differ. The other two are not nested between 3 and 1.
  Subnet passed = chain_[2], wide = chain_[0], narrow = chain_[3];
  passed.widths[0] = chain_[1].widths[0];
  passed.widths[1] = chain_[3].widths[1];
  wide.widths[1] = chain_[3].widths[1];
  narrow.widths[1] = 1;
  const auto refined = refine(
      chain_, [&](const Subnet& s, double) { return s == passed || s == wide || s == narrow ? 0.1 : 3.0; },
      {.trajectory = {wide, passed, narrow}});
  EXPECT_EQ(refined[1], chain_[1]);
  EXPECT_EQ(refined[2], passed);
}

TEST_F(RefineChain, DoesNotPayMoreThanAnAccuracyIsWorth) {
  // Linear in log MACs: every neighbour lies on the line, none is better.
  const auto loss = [&](const Subnet& subnet, double) {
    return 4 * (1 - 0.1 * std::log2(static_cast<double>(cost(graph_, subnet).macs) / 1e5));
  };
  EXPECT_EQ(refine(chain_, loss), chain_);
}

TEST_F(RefineChain, DoesNotLoseTheSmallestSize) {
  // Concave in log MACs, as trained chains are: a larger last sub-net lies above the line to the one before.
  const auto loss = [&](const Subnet& subnet, double) {
    return 4 * (1 - 0.3 * std::sqrt(std::log2(static_cast<double>(cost(graph_, subnet).macs) / 1e5)));
  };
  const auto macs = [&](const Subnet& subnet) { return cost(graph_, subnet).macs; };
  ASSERT_GT(macs(chain_.back()), 100'000);
  const Subnet passed = *groups_.grow(*groups_.grow(chain_.back(), 0), 1);
  EXPECT_LE(macs(refine(chain_, loss, {.trajectory = {passed}}).back()), macs(chain_.back()));
}

}  // namespace
}  // namespace concertina::search
