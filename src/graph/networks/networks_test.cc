#include "graph/networks/networks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace concertina {
namespace {

using ::testing::HasSubstr;

TEST(Networks, AllBuildForBothStems) {
  for (const char* name :
       {"resnet8", "resnet20", "resnet56", "resnet18", "vgg11", "alexnet", "mobilenet_v1"}) {
    for (const Shape input : {Shape{3, 32, 32}, Shape{3, 224, 224}}) {
      const auto graph = make_network({.name = name, .input = input, .classes = 7});
      ASSERT_TRUE(graph) << graph.error().message;
      EXPECT_EQ(graph->shape(graph->output()), (Shape{7, 1, 1}));
      EXPECT_GT(graph->layout().free_dimensions, 0);
    }
  }
}

TEST(Networks, CoupledResNetsHaveOneStreamPerStage) {
  EXPECT_EQ(make_network({.name = "resnet20", .input = {3, 32, 32}})->layout().free_dimensions, 9 + 3);
  EXPECT_EQ(make_network({.name = "resnet18", .input = {3, 32, 32}})->layout().free_dimensions, 8 + 4);
}

TEST(Networks, DecoupledResNet18Has17FreeWidths) {
  const NetworkSpec spec{.name = "resnet18", .input = {3, 224, 224}, .decoupled = true};
  EXPECT_EQ(make_network(spec)->layout().free_dimensions, 17);
}

TEST(Networks, UnknownNamesGetTheList) {
  for (const char* name : {"resnet21", "resnet2", "resnet", "resnetx", "resnet20x", "vgg", ""}) {
    const auto graph = make_network({.name = name, .input = {3, 32, 32}});
    ASSERT_FALSE(graph) << name;
    EXPECT_THAT(graph.error().message, HasSubstr("mobilenet_v1"));
  }
}

TEST(Networks, TooSmallAnInputIsNamed) {
  const auto graph = make_network({.name = "vgg11", .input = {3, 16, 16}});
  ASSERT_FALSE(graph);
  EXPECT_THAT(graph.error().message, HasSubstr("stage5.pool"));
}

}  // namespace
}  // namespace concertina
