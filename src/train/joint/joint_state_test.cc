#include "train/joint/joint_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "graph/channel_groups.h"
#include "graph/networks/networks.h"

namespace concertina::train {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

class JointStateTest : public ::testing::Test {
 protected:
  const Graph graph_ = *make_network({.name = "resnet8", .input = {3, 16, 16}, .classes = 4, .width = 0.5});
  const ChannelGroups groups_ = *divide_channels(graph_, 4);
  const std::vector<Subnet> subnets_ = {full_subnet(graph_), uniform_subnet(groups_, 2),
                                        uniform_subnet(groups_, 1)};
  const Supernet net_ = *Supernet::make(graph_, initial_tensors(graph_, 3), {});
};

TEST_F(JointStateTest, FocusWeighsTheWorstMostAndOneOnAverage) {
  JointState state(net_, subnets_, {});
  for (int i = 0; i < 2000; ++i) state.remember({0, 2}, {0.5, 2.0});
  EXPECT_THAT(state.losses(), ElementsAre(DoubleNear(0.5, 1e-3), 1.0, DoubleNear(2, 1e-3)));
  const auto alike = state.members({0, 2}, 0), focused = state.members({0, 2}, 1);
  EXPECT_EQ(alike[0].weight, 1);
  EXPECT_EQ(alike[1].weight, 1);
  EXPECT_NEAR(focused[0].weight + focused[1].weight, 2, 1e-12);
  EXPECT_NEAR(focused[1].weight / focused[0].weight, std::exp(1.5), 0.02);
  EXPECT_EQ(focused[1].subnet, subnets_[2]);
}

TEST_F(JointStateTest, AllButTheLargestHaveTheirOwnNorms) {
  JointState state(net_, subnets_, {.private_norm = true});
  const auto members = state.members({0, 1, 2}, 0);
  EXPECT_EQ(members[0].own, nullptr);
  EXPECT_EQ(JointState(net_, subnets_, {}).members({2}, 0)[0].own, nullptr);
  for (const std::size_t i : {1u, 2u}) {
    const Tensors& own = *members[i].own;
    EXPECT_EQ(OwnNorms::pick(state.trained(), i).size(), own.size());
    int norms = 0;
    for (NodeId id = 0; id < graph_.size(); ++id) {
      if (!std::holds_alternative<op::BatchNorm>(graph_.node(id).op)) continue;
      ++norms;
      const torch::Tensor& scale = own.at(graph_.node(id).name + ".weight");
      EXPECT_EQ(scale.numel(), active_shape(graph_, id, subnets_[i]).channels);
      EXPECT_TRUE(scale.is_leaf() && scale.requires_grad());
    }
    EXPECT_EQ(static_cast<int>(own.size()), 2 * norms);
  }
}

TEST_F(JointStateTest, GoesOnFromWhatAnotherHasKept) {
  JointState first(net_, subnets_, {.private_norm = true});
  first.remember({1}, {3});
  Tensors kept;
  for (const auto& [name, tensor] : first.kept()) kept[name] = tensor.detach() + 1;
  const Supernet net = *Supernet::make(graph_, initial_tensors(graph_, 4), {});
  JointState second(net, subnets_, {.private_norm = true});
  second.assign(kept);
  for (const auto& [name, tensor] : second.kept()) EXPECT_TRUE(torch::equal(tensor, kept.at(name))) << name;
  EXPECT_TRUE(torch::equal(net.weights().begin()->second, kept.at(net.weights().begin()->first)));
}

}  // namespace
}  // namespace concertina::train
