#include "runtime/pixel_units.h"

#include <gtest/gtest.h>

#include "graph/networks/networks.h"
#include "kernels/layout.h"
#include "kernels/planar_conv.h"
#include "kernels/testing/targets.h"
#include "runtime/reference_interpreter.h"
#include "testing/models.h"
#include "testing/net.h"

namespace concertina::runtime {
namespace {

/// Vectors of 16 or the best there are: what is narrow depends on them.
class PixelUnitsTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { ASSERT_TRUE(kernels::limit_target(GetParam())); }
  void TearDown() override { ASSERT_TRUE(kernels::limit_target("")); }
};
INSTANTIATE_TEST_SUITE_P(Targets, PixelUnitsTest, ::testing::ValuesIn(kernels::target_names()),
                         [](const auto& param) { return param.param; });

bool is_planar(const Step& step) {
  const auto* conv = std::get_if<ConvStep>(&step);
  return conv != nullptr && conv->kernel == ConvKernel::planar;
}

int count_planar(const Plan& plan) {
  return static_cast<int>(std::count_if(plan.steps.begin(), plan.steps.end(), is_planar));
}

Graph resnet20() {
  return *make_network({.name = "resnet20", .input = {3, 32, 32}});
}

/// Every dimension at `width`, or whole if it has fewer channels.
Subnet every_width(const Graph& graph, int width) {
  Subnet subnet = full_subnet(graph);
  for (int& w : subnet.widths) w = std::min(w, width);
  return subnet;
}

void expect_parity(const onnx::ModelFile& file, int planar_steps) {
  const auto model = testing::load(file);
  constexpr int kBatch = 2;
  const auto images = testing::random_images(*model, kBatch);
  int planar = 0;
  for (std::size_t i = 0; i < file.subnets.size(); ++i) {
    const onnx::SubnetRecord& record = file.subnets[i];
    const auto wanted = reference_run(file.network, record.subnet, record.own, images, kBatch);
    ASSERT_TRUE(wanted) << wanted.error().message;
    const auto got =
        testing::run_alone(model, {.threads = 2, .max_batch = kBatch}, images, kBatch, static_cast<int>(i));
    EXPECT_LE(testing::relative_error(got, *wanted), 3e-6) << to_string(record.subnet);
    planar += count_planar(model->impl().plans[i]);
  }
  EXPECT_GE(planar, kernels::vector_lanes() >= 4 ? planar_steps : 0);
}

TEST_P(PixelUnitsTest, MapsOfPlanarConvolutionsAreNarrow) {
  const Graph graph = resnet20();
  const int width = std::max(1, kernels::vector_lanes() / 4);
  const auto model =
      testing::load(testing::model_file(graph, {full_subnet(graph), every_width(graph, width)}));
  const Plan& plan = model->impl().plans[1];
  if (kernels::vector_lanes() < 4) {
    EXPECT_EQ(count_planar(plan), 0);
    return;
  }
  // The stem and the first stage.
  int narrow = 0;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    if (!is_planar(plan.steps[i])) continue;
    if (std::get<ConvStep>(plan.steps[i]).output.stride == kernels::kPlanarBlock) ++narrow;
  }
  EXPECT_GE(narrow, 6);
}

TEST_P(PixelUnitsTest, NarrowSubnetsOfAResnet) {
  const Graph graph = resnet20();
  std::vector<Subnet> subnets = {full_subnet(graph)};
  for (const int width : {8, 5, 4, 2, 1}) subnets.push_back(every_width(graph, width));
  expect_parity(testing::model_file(graph, subnets), 20);
}

/// A concatenation, a branch that pools, a projection with a stride: what is read by others keeps whole
/// vectors.
TEST_P(PixelUnitsTest, OtherReadersKeepVectors) {
  using testing::kImage, testing::kOne, testing::kThree;
  testing::Net net({3, 24, 40});
  const NodeId a = net.conv("a", kImage, 8, kThree);
  const NodeId b = net.conv("b", a, 8, kThree);
  const NodeId c = net.conv("c", net.max_pool("max", a, kThree), 8, kOne);
  const NodeId joined = net.concat("joined", {b, c});
  const NodeId d = net.conv("d", joined, 8, Window::square(3, 2, 1));
  const NodeId e = net.conv("e", d, 8, kThree);
  const NodeId f = net.conv("f", e, 8, kThree);
  const NodeId sum = net.sum("sum", f, d);
  net.classify(sum, 10);
  const Graph graph = net.build();
  std::vector<Subnet> subnets = {full_subnet(graph)};
  for (const int width : {4, 3, 1}) subnets.push_back(every_width(graph, width));
  expect_parity(testing::model_file(graph, subnets), 4);
}

TEST(PackedWeights, PlainCopiesOfWinogradLayersAreSmall) {
  for (const char* name : {"resnet20", "resnet18"}) {
    const Graph graph = *make_network({.name = name, .input = {3, 32, 32}});
    const auto model = testing::load(testing::model_file(graph, {full_subnet(graph)}));
    const PackedWeights& packed = model->impl().packed;
    std::size_t copies = 0;
    for (NodeId id = 0; id < graph.size(); ++id) {
      for (const PackedFilter& filter : packed.filters(graph.node(id))) {
        if (filter.few.out_channels > 0) copies += kernels::packed_size_conv(filter.few) * sizeof(float);
      }
    }
    EXPECT_GT(copies, 0U) << name;
    EXPECT_LE(copies * 10, packed.bytes()) << name;
  }
}

TEST(PackedWeights, SharedWeightsArePackedOnce) {
  const auto bytes = [](int convolutions, bool tied) {
    testing::Net net({16, 8, 8});
    const NodeId first = net.conv("conv0", testing::kImage, 16, testing::kThree);
    NodeId x = first;
    for (int i = 1; i < convolutions; ++i) {
      x = net.conv("conv" + std::to_string(i), x, 16, testing::kThree);
      if (tied) net.tie(x, first);
    }
    net.classify(x, 4);
    const Graph graph = net.build();
    return testing::load(testing::model_file(graph, {full_subnet(graph)}))->packed_bytes();
  };
  EXPECT_EQ(bytes(3, true), bytes(1, false));
  EXPECT_LT(bytes(3, true), bytes(3, false));
}

TEST(PackedWeights, FewChannelsOfAWinogradLayerRunWithoutTransform) {
  const kernels::WindowArgs window{
      .in_h = 16, .in_w = 16, .out_h = 16, .out_w = 16, .kernel_h = 3, .kernel_w = 3};
  const LayerFilter layer{
      .filter = {.out_channels = 64, .in_channels = 64, .taps = 9}, .window = window, .packings = {}};
  const PackedFilter packed{layer, Packing::winograd, 0,
                            kernels::Filter{.out_channels = 32, .in_channels = 16, .taps = 9}};
  const auto choose = [&](kernels::ChannelRange range, int out) {
    return conv_choices(packed, {&range, 1}, out).front();
  };
  EXPECT_EQ(choose({.count = 64}, 64).kernel, ConvKernel::winograd);
  EXPECT_EQ(choose({.count = 64}, 2).kernel, ConvKernel::winograd) << "not in the copy";
  EXPECT_EQ(choose({.weight_begin = 12, .count = 8}, 32).kernel, ConvKernel::winograd) << "not in the copy";
  EXPECT_EQ(choose({.count = 8}, 33).kernel, ConvKernel::winograd) << "not in the copy";
  EXPECT_EQ(choose({.count = 8}, 32).kernel, ConvKernel::direct);
  EXPECT_TRUE(choose({.count = 8}, 32).few);
  EXPECT_EQ(choose({.count = 16}, 1).kernel,
            kernels::vector_lanes() >= 4 ? ConvKernel::planar : ConvKernel::direct);
}

}  // namespace
}  // namespace concertina::runtime
