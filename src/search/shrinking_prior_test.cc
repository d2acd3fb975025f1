#include "search/shrinking_prior.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "graph/networks/networks.h"

namespace concertina::search {
namespace {

class ShrinkingPriorTest : public ::testing::TestWithParam<const char*> {
 protected:
  Graph graph_ = *make_network({.name = GetParam(), .input = {3, 32, 32}});
  ChannelGroups groups_ = *divide_channels(graph_, 8);
};

TEST_P(ShrinkingPriorTest, IsTheLogOfAUniformShrinking) {
  for (const double tilt : {0.0, 0.5, 1.0}) {
    const ShrinkingPrior prior(graph_, groups_, tilt);
    EXPECT_NEAR(std::accumulate(prior.share().begin(), prior.share().end(), 0.0), 1, 1e-12);
    EXPECT_EQ(prior(full_subnet(graph_)), 0);
    for (const int kept : {1, 2, 4, 7}) {
      EXPECT_NEAR(prior(uniform_subnet(groups_, kept)), std::log(8.0 / kept), 1e-12) << tilt;
    }
  }
}

TEST_P(ShrinkingPriorTest, NoChannelsAreHalfOfAGroup) {
  const ShrinkingPrior prior(graph_, groups_, 0.5);
  Subnet least = uniform_subnet(groups_, 1), absent = least;
  absent.widths[1] = 0;
  EXPECT_NEAR(prior(absent) - prior(least), prior.share()[1] * std::log(2), 1e-12);
}

TEST_P(ShrinkingPriorTest, HalfOfTheResolutionIsHalfOfEveryWidth) {
  const ShrinkingPrior prior(graph_, groups_, 0.5);
  const Subnet full = full_subnet(graph_), half = uniform_subnet(groups_, 4);
  EXPECT_NEAR(prior({full.widths, 16}), std::log(2), 1e-12);
  EXPECT_NEAR(prior({half.widths, 24}), std::log(2) + std::log(4.0 / 3), 1e-12);
}

TEST_P(ShrinkingPriorTest, TiltGivesWeightToParametersPerMac) {
  const ShrinkingPrior by_macs(graph_, groups_, 0), by_parameters(graph_, groups_, 1);
  const ShrinkingPrior between(graph_, groups_, 0.5);
  for (std::size_t d = 0; d < by_macs.share().size(); ++d) {
    for (std::size_t e = 0; e < by_macs.share().size(); ++e) {
      const double macs = by_macs.share()[d] / by_macs.share()[e];
      const double parameters = by_parameters.share()[d] / by_parameters.share()[e];
      EXPECT_NEAR(between.share()[d] / between.share()[e], std::sqrt(macs * parameters), 1e-9 * macs);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, ShrinkingPriorTest,
                         ::testing::Values("resnet20", "vgg11", "mobilenet_v1"));

}  // namespace
}  // namespace concertina::search
