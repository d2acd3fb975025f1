#include "train/supernet/calibrate_norms.h"

#include <gtest/gtest.h>

#include <numeric>

#include "base/random.h"
#include "graph/random_weights.h"
#include "onnx/fold_batch_norm.h"
#include "testing/graphs.h"

namespace concertina::train {
namespace {

data::ImageSet random_images(const Shape& shape, int count) {
  data::ImageSet set{.channels = shape.channels,
                     .height = shape.height,
                     .width = shape.width,
                     .pixels = {},
                     .labels = {},
                     .classes = {"a", "b"}};
  const CounterRandom random(1);
  const auto values = static_cast<std::uint64_t>(count) * set.image_bytes();
  for (std::uint64_t i = 0; i < values; ++i)
    set.pixels.push_back(static_cast<std::uint8_t>(random.below(256, i)));
  for (int i = 0; i < count; ++i) set.labels.push_back(i % 2);
  return set;
}

class CalibrateNormsTest : public ::testing::TestWithParam<testing::NamedGraph> {};

TEST_P(CalibrateNormsTest, TheFullNetworkComputesWhatItDid) {
  const Graph original = GetParam().graph();
  const Network folded = onnx::fold_batch_norm({original, random_weights(original)});
  std::vector<InsertedNorm> norms;
  const Network network = insert_norms(folded, &norms);
  if (norms.empty()) GTEST_SKIP() << "nothing was folded";
  const data::ImageSet set = random_images(original.shape(original.input()), 40);
  const ImageBatches images(set, measure_normalization(set), torch::kCPU);
  std::vector<std::int64_t> all(40);
  std::iota(all.begin(), all.end(), 0);
  const Tensors before = to_tensors(folded.weights, torch::kCPU);
  const Tensors identity = to_tensors(network.weights, torch::kCPU);
  const auto calibrated = calibrate_norms(network.graph, identity, norms, {}, images, all, 16);
  ASSERT_TRUE(calibrated) << calibrated.error().message;
  const torch::NoGradGuard no_grad;
  const Supernet old_net = *Supernet::make(folded.graph, before, {});
  const Supernet new_net = *Supernet::make(network.graph, *calibrated, {});
  const torch::Tensor x = images.batch(all).images();
  const Subnet full = full_subnet(folded.graph);
  const torch::Tensor wanted = old_net.forward(x, full, {.statistics = &before});
  const torch::Tensor got = new_net.forward(x, full, {.statistics = &*calibrated});
  EXPECT_LT(((got - wanted).abs().max() / wanted.abs().max()).item<double>(), 1e-4);
  // The statistics are those of what the convolution makes.
  std::vector<bool> keep(static_cast<std::size_t>(folded.graph.size()), false);
  NodeId first = 0;
  while (folded.graph.node(first).name != norms[0].conv) ++first;
  keep[first] = true;
  NodeValues kept;
  old_net.forward(x, full, {.statistics = &before, .keep = &keep, .kept = &kept});
  const torch::Tensor mean = kept.at(first).mean({0, 2, 3});
  const torch::Tensor variance = kept.at(first).var({0, 2, 3}, true);
  const auto near = [&](const torch::Tensor& a, const torch::Tensor& b) {
    return (a - b).abs().max().item<double>() <= 0.05 * b.abs().max().item<double>();
  };
  EXPECT_TRUE(near(calibrated->at(norms[0].norm + ".running_mean"), mean));
  EXPECT_TRUE(near(calibrated->at(norms[0].norm + ".running_var"), variance));
  // Not for want of anything to undo.
  EXPECT_GT((calibrated->at(norms[0].norm + ".bias")).abs().max().item<double>(), 0.01);
}

std::vector<testing::NamedGraph> of_one_input() {
  std::vector<testing::NamedGraph> list = testing::structures();
  std::erase_if(list, [](const testing::NamedGraph& net) { return net.graph().inputs() > 1; });
  return list;
}

INSTANTIATE_TEST_SUITE_P(Structures, CalibrateNormsTest, ::testing::ValuesIn(of_one_input()),
                         testing::name_of_graph);

}  // namespace
}  // namespace concertina::train
