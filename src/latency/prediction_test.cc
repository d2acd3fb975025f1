#include "latency/prediction.h"

#include <gtest/gtest.h>

#include "graph/cost.h"
#include "graph/networks/networks.h"
#include "testing/net.h"

namespace concertina::latency {
namespace {

TEST(Prediction, CountsRelativeErrors) {
  const std::vector<double> measured = {1, 2, 4}, predicted = {1.1, 2, 2};
  const PredictionError error = PredictionError::of(predicted, measured);
  EXPECT_NEAR(error.median, 0.1, 1e-12);
  EXPECT_NEAR(error.worst, 0.5, 1e-12);
  EXPECT_NEAR(error.rank_correlation, 0.866, 1e-3);  // 1 against a tie of the other two
}

TEST(Roofline, TakesTheLongerOfComputingAndMoving) {
  const Graph graph = *make_network({.name = "resnet8", .input = {3, 32, 32}});
  Subnet half = full_subnet(graph);
  for (int& width : half.widths) width /= 2;
  constexpr double kHuge = 1e30;
  for (const Subnet& subnet : {full_subnet(graph), half}) {
    const auto macs = static_cast<double>(cost(graph, subnet).macs);
    EXPECT_NEAR(roofline_ms({10, kHuge}, graph, subnet, 3), 3 * 2 * macs / 10 * 1e-6, 1e-9);
    EXPECT_GT(roofline_ms({10, 0.1}, graph, subnet, 3), roofline_ms({10, kHuge}, graph, subnet, 3));
  }
}

/// One layer of 64 -> 10 features: 640 weights, 10 biases, 74 values of each image.
TEST(Roofline, CountsEachByteOnce) {
  testing::Net net({64, 1, 1});
  net.linear("fc", testing::kImage, 10);
  EXPECT_NEAR(roofline_ms({1e30, 2}, net.build(), {}, 5), 4 * (650 + 5 * 74) / 2.0 * 1e-6, 1e-12);
}

}  // namespace
}  // namespace concertina::latency
