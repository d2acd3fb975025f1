#include "structures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <map>

#include "graph/cost.h"
#include "models.h"

namespace concertina::bench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Published {
  std::int64_t parameters = 0;
  double giga_macs = 0;  ///< for an image of 224x224
};

/// torchvision's documentation of its weights; the U-Net's from its own.
const std::map<std::string, Published> kPublished = {
    {"resnet50", {25'557'032, 4.089}},       {"resnext50_32x4d", {25'028'904, 4.230}},
    {"regnet_y_400mf", {4'344'144, 0.402}},  {"convnext_tiny", {28'589'128, 4.456}},
    {"densenet121", {7'978'856, 2.834}},     {"googlenet", {6'624'904, 1.498}},
    {"squeezenet1_1", {1'235'496, 0.349}},   {"unet", {7'763'041, 0}},
    {"mobilenet_v2", {3'504'872, 0.301}},    {"mobilenet_v3_large", {5'483'032, 0.217}},
    {"efficientnet_b0", {5'288'548, 0.386}}, {"shufflenet_v2_x1_0", {2'278'604, 0.145}}};

TEST(Structures, AreAsLargeAsPublished) {
  ASSERT_EQ(structure_names().size(), kPublished.size());
  for (const std::string& name : structure_names()) {
    const auto graph = make_structure(name, 224, name == "unet" ? 1 : 1000);
    ASSERT_TRUE(graph) << name << ": " << graph.error().message;
    const Cost full = cost(*graph, full_subnet(*graph));
    const Published& published = kPublished.at(name);
    EXPECT_EQ(full.parameters, published.parameters) << name;
    if (published.giga_macs == 0) continue;
    EXPECT_NEAR(static_cast<double>(full.macs) / 1e9, published.giga_macs, 0.01 * published.giga_macs)
        << name;
  }
}

TEST(Structures, HaveFourSizes) {
  std::size_t count = 0;
  for (const Case& c : all_cases()) {
    if (!is_structure(c.network)) continue;
    ++count;
    const auto model = make_bench_model(c);
    ASSERT_TRUE(model) << c.network << ": " << model.error().message;
    const Graph& graph = model->file.network.graph;
    std::vector<std::string> sizes;
    std::int64_t before = std::numeric_limits<std::int64_t>::max();
    for (const NamedSubnet& named : model->subnets) {
      sizes.push_back(named.name);
      const std::int64_t macs = cost(graph, named.subnet).macs;
      EXPECT_LT(macs, before) << c.network;
      before = macs;
    }
    EXPECT_THAT(sizes, ElementsAre("x1", "x0.75", "x0.5", "x0.25")) << c.network;
  }
  EXPECT_EQ(count, structure_names().size());
}

TEST(Structures, OfUnknownNamesAreRefused) {
  EXPECT_THAT(make_structure("abacus", 224, 1000).error().message, HasSubstr("abacus"));
}

TEST(Structures, DoNotFitImagesThatAreTooSmall) {
  EXPECT_FALSE(make_structure("squeezenet1_1", 4, 1000));
}

}  // namespace
}  // namespace concertina::bench
