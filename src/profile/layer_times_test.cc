#include "profile/layer_times.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace concertina::profile {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;

TEST(LayerGrid, TakesTheMedianOfEachPair) {
  const latency::LayerLatency layer =
      grid_of({{8, 16, 2}, {8, 16, 100}, {8, 16, 1}, {8, 32, 4}, {4, 16, 0.5}, {4, 32, 3}}, false);
  EXPECT_THAT(layer.inputs, ElementsAre(4, 8));
  EXPECT_THAT(layer.outputs, ElementsAre(16, 32));
  EXPECT_THAT(layer.milliseconds, ElementsAre(0.5, 3, 2, 4));
}

TEST(LayerGrid, FillsGapsInProportion) {
  const latency::LayerLatency layer = grid_of({{8, 32, 4}, {6, 16, 1}}, false);
  EXPECT_THAT(layer.milliseconds, ElementsAre(1, DoubleEq(4.0 * 6 / 8), DoubleEq(8.0 / 6), 4));
}

TEST(LayerGrid, MayFollowItsOutput) {
  const latency::LayerLatency layer = grid_of({{3, 8, 1}, {5, 8, 2}, {7, 8, 4}, {9, 16, 8}}, true);
  EXPECT_THAT(layer.inputs, ElementsAre(9));
  EXPECT_THAT(layer.outputs, ElementsAre(8, 16));
  EXPECT_THAT(layer.milliseconds, ElementsAre(2, 8));
}

TEST(LayerGrid, ThinsManyWidths) {
  std::vector<LayerSample> samples;
  for (int width = 1; width <= 100; ++width) samples.push_back({3, width, 0.5 * width});
  const latency::LayerLatency layer = grid_of(samples, false);
  EXPECT_EQ(layer.outputs.size(), 12u);
  EXPECT_EQ(layer.outputs.front(), 1);
  EXPECT_EQ(layer.outputs.back(), 100);
  for (std::size_t i = 0; i < layer.outputs.size(); ++i)
    EXPECT_DOUBLE_EQ(layer.milliseconds[i], 0.5 * layer.outputs[i]);
}

}  // namespace
}  // namespace concertina::profile
