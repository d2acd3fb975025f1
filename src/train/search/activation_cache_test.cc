#include "train/search/activation_cache.h"

#include <gtest/gtest.h>

#include "graph/channel_groups.h"
#include "graph/networks/networks.h"

namespace concertina::train {
namespace {

class ActivationCacheTest : public ::testing::TestWithParam<const char*> {};

TEST_P(ActivationCacheTest, GivesTheSameValuesFromEveryCutOn) {
  const Graph graph = *make_network({.name = GetParam(), .input = {3, 32, 32}, .classes = 5, .width = 0.25});
  const ChannelGroups groups = *divide_channels(graph, 4);
  const Supernet net = *Supernet::make(graph, initial_tensors(graph, 1), {});
  const torch::NoGradGuard no_grad;
  const std::vector<torch::Tensor> batches = {torch::randn({4, 3, 32, 32}), torch::randn({4, 3, 32, 32})};
  ActivationCache cache(graph);
  const Subnet base = full_subnet(graph);
  const auto expect_equal = [&](const Subnet& subnet) {
    for (std::size_t b = 0; b < batches.size(); ++b) {
      EXPECT_TRUE(torch::equal(net.forward(batches[b], subnet, cache.resuming(subnet, b)),
                               net.forward(batches[b], subnet)));
    }
  };
  EXPECT_EQ(cache.first_changed(*groups.shrink(base, 1, 1)), 1);  // nothing is cached yet
  cache.record(base);
  for (std::size_t b = 0; b < batches.size(); ++b) net.forward(batches[b], base, cache.recording(b));

  NodeId latest = 0;
  for (int d = 0; d < graph.layout().free_dimensions; ++d) {
    const Subnet child = *groups.shrink(base, d, 1);
    latest = std::max(latest, cache.first_changed(child));
    expect_equal(child);
    if (d > 0) expect_equal(*groups.shrink(child, d - 1, 1));
  }
  EXPECT_GT(latest, graph.size() / 2);  // a late dimension skips the most
  expect_equal(base);
  cache.clear();
  EXPECT_EQ(cache.first_changed(*groups.shrink(base, 1, 1)), 1);
}

INSTANTIATE_TEST_SUITE_P(Networks, ActivationCacheTest,
                         ::testing::Values("resnet8", "vgg11", "mobilenet_v1"));

}  // namespace
}  // namespace concertina::train
