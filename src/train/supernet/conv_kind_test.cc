#include "train/supernet/conv_kind.h"

#include <gtest/gtest.h>

#include "testing/graphs.h"
#include "train/supernet/conv.h"
#include "train/supernet/relative_error.h"
#include "train/supernet/supernet.h"

namespace concertina::train {
namespace {

ConvKind usual_kind() {
  op::Conv conv;
  conv.in_channels = 8;
  conv.out_channels = 16;
  conv.window = Window::square(3, 1, 1);
  return {.conv = conv, .input = {8, 10, 12}};
}

TEST(ConvKind, EachHasANameOfItsOwn) {
  EXPECT_EQ(name_of(usual_kind()), "8x10x12 to 16, 3x3, padding 1 1 1 1");
  std::vector<ConvKind> kinds(14, usual_kind());
  kinds[1].conv.out_channels = 8;
  kinds[2].conv.window.kernel_h = 2;
  kinds[3].conv.window.kernel_w = 2;
  kinds[4].conv.window.stride_h = 2;
  kinds[5].conv.window.stride_w = 2;
  kinds[6].conv.window.pad_right = 0;
  kinds[7].conv.window.pad_top = 0;
  kinds[8].conv.window.dilation_w = 2;
  kinds[9].conv.groups = 8;
  kinds[10].conv.bias = true;
  kinds[11].input.width = 10;
  kinds[12].normalized = true;
  kinds[13].first = true;
  std::set<std::string> names;
  for (const ConvKind& kind : kinds) names.insert(name_of(kind));
  EXPECT_EQ(names.size(), kinds.size());
}

TEST(ConvKind, IsWhatTheTrainerMeets) {
  const Graph graph = testing::resnet8();
  const auto kinds = conv_kinds(graph);
  ASSERT_EQ(kinds.size(), static_cast<std::size_t>(graph.size()));
  int count = 0, first = 0;
  for (NodeId id = 0; id < graph.size(); ++id) {
    EXPECT_EQ(kinds[id].has_value(), std::holds_alternative<op::Conv>(graph.node(id).op)) << id;
    if (!kinds[id]) continue;
    EXPECT_TRUE(kinds[id]->normalized);
    EXPECT_EQ(kinds[id]->input, graph.shape(graph.node(id).inputs[0]));
    ++count;
    first += kinds[id]->first ? 1 : 0;
  }
  EXPECT_GT(count, 1);
  EXPECT_EQ(first, 1);
}

/// A network with one convolution of ours taken from LibTorch.
TEST(ConvChoice, LibTorchsHaveLibTorchsBits) {
  const Graph graph = testing::resnet8();
  const auto kinds = conv_kinds(graph);
  const NodeId id =
      std::find_if(kinds.begin(), kinds.end(), [](const auto& kind) { return !!kind; }) - kinds.begin();
  const Tensors weights = initial_tensors(graph, 3);
  const Supernet own = *Supernet::make(graph, weights, {}),
                 other = *Supernet::make(graph, weights, {.convolutions = {{name_of(*kinds[id])}}});
  EXPECT_TRUE(own.has_own_convolution(id));
  EXPECT_FALSE(other.has_own_convolution(id));
  torch::manual_seed(1);
  const Shape& shape = graph.shape(0);
  const torch::Tensor x = torch::randn({2, shape.channels, shape.height, shape.width});
  const op::Conv& conv = kinds[id]->conv;
  const Window& w = conv.window;
  const torch::Tensor wanted =
      torch::conv2d(x, own.weights().at(graph.node(id).name + ".weight"), {}, {w.stride_h, w.stride_w},
                    at::IntArrayRef{w.pad_top, w.pad_left});
  const auto value_of = [&](const Supernet& net) {
    return net.values({&x, 1}, {&id, 1}, full_subnet(graph))[0];
  };
  EXPECT_TRUE(torch::equal(value_of(other), wanted));
  EXPECT_FALSE(torch::equal(value_of(own), wanted));
  EXPECT_LT(relative_error(value_of(own), wanted), 1e-5);
}

}  // namespace
}  // namespace concertina::train
