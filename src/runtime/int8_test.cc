#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "graph/branches.h"
#include "kernels/bf16_conv.h"
#include "kernels/int8_conv.h"
#include "kernels/int8_unit.h"
#include "kernels/testing/targets.h"
#include "runtime/calibration.h"
#include "runtime/model_impl.h"
#include "runtime/tune.h"
#include "testing/allocation_count.h"
#include "testing/models.h"
#include "testing/net.h"
#include "testing/sampled_graphs.h"

namespace concertina::runtime {
namespace {

using testing::Floats;
using ::testing::HasSubstr;

// Weights and inputs of each layer are held in 8 bits; the worst seen is 2e-2.
constexpr double kQuantizedBound = 0.05;
constexpr int kInt8Batch = 3;

/// Calibrated on the images that it is then run with. Sub-nets that leave out branches, or run at a lower
/// resolution, are among them.
onnx::ModelFile calibrated(const Graph& graph, int count) {
  std::vector<Subnet> subnets = testing::nested_subnets(graph, count);
  for (const Subnet& subnet : testing::leaving_out_branches(graph, subnets.back())) subnets.push_back(subnet);
  onnx::ModelFile file = testing::model_file(graph, subnets);
  testing::calibrate(file, testing::random_images(*testing::load(file), kInt8Batch), kInt8Batch);
  return file;
}

class Int8Test : public ::testing::TestWithParam<testing::NamedGraph> {
 protected:
  void TearDown() override { ASSERT_TRUE(kernels::limit_int8_unit("")); }
};

TEST_P(Int8Test, StaysCloseToFp32AndIsTheSameOnUnitsOfAsManyBits) {
  const onnx::ModelFile file = calibrated(GetParam().graph(), 4);
  const auto exact = testing::load(file);
  const Floats images = testing::random_images(*exact, kInt8Batch);
  std::map<int, std::vector<Floats>> all_first;  // of each sub-net, by the best unit of as many bits
  double worst = 0;
  for (const std::string& unit : kernels::int8_units()) {
    ASSERT_TRUE(kernels::limit_int8_unit(unit));
    const auto model = testing::load_rounded(file, Precision::int8);  // it chooses the unit
    EXPECT_EQ(model->precision(), Precision::int8);
    std::vector<Floats>& first = all_first[kernels::best_int8_unit()->most_input];
    for (int i = 0; i < static_cast<int>(model->subnets().size()); ++i) {
      SCOPED_TRACE(i);
      const Floats wanted = testing::run_alone(exact, {.max_batch = kInt8Batch}, images, kInt8Batch, i);
      const Floats got = testing::run_alone(model, {.max_batch = kInt8Batch}, images, kInt8Batch, i);
      worst = std::max(worst, testing::relative_error(got, wanted));
      if (first.size() == static_cast<std::size_t>(i)) first.push_back(got);
      EXPECT_EQ(got, first[static_cast<std::size_t>(i)]) << unit;
      EXPECT_EQ(testing::run_alone(model, {.threads = 2, .max_batch = kInt8Batch}, images, kInt8Batch, i),
                got)
          << unit;
    }
  }
  EXPECT_LE(worst, kQuantizedBound);
  EXPECT_GT(worst, 0);  // it is another precision
  RecordProperty("worst_error", std::to_string(worst * 1e6) + "e-6");
}

TEST_P(Int8Test, RunsWithoutAllocating) {
  if (testing::allocation_count() < 0) GTEST_SKIP() << "a sanitizer owns operator new";
  const auto model = testing::load_rounded(calibrated(GetParam().graph(), 3), Precision::int8);
  auto session = Session::make(model, {.threads = 2, .max_batch = 2}).value();
  const Floats images = testing::random_images(*model, 2);
  Floats logits(2 * model->output_size());
  const std::int64_t before = testing::allocation_count();
  for (int i = 0; i < static_cast<int>(model->subnets().size()); ++i) {
    ASSERT_TRUE(session.run(images, 2, i, logits).ok());
  }
  EXPECT_EQ(testing::allocation_count(), before);
}

INSTANTIATE_TEST_SUITE_P(Networks, Int8Test, ::testing::ValuesIn(testing::sampled_graphs()),
                         testing::name_of_graph);

TEST(Int8, WeightsTakeAQuarterOfTheMemory) {
  testing::Net net(Shape{64, 12, 12});
  net.conv("conv", net.input(), 64, Window::square(3, 2, 1));
  const onnx::ModelFile file = calibrated(net.build(), 2);
  const auto plain = static_cast<double>(testing::load(file)->packed_bytes());
  EXPECT_LT(static_cast<double>(testing::load_rounded(file, Precision::int8)->packed_bytes()), 0.26 * plain);
}

TEST(Int8, LayersWithoutScalesStayFp32) {
  testing::Net net(Shape{64, 12, 12});
  const NodeId conv = net.conv("conv", net.input(), 64, Window::square(3, 2, 1));
  const Graph graph = net.build();
  onnx::ModelFile file = calibrated(graph, 2);
  EXPECT_TRUE(calibrated_layers(file)(conv));
  file.subnets.back().quantization.erase(graph.node(graph.input()).name);
  EXPECT_FALSE(calibrated_layers(file)(conv));
  EXPECT_TRUE(make_model(file, {.precision = Precision::int8}));
}

/// One layer, which int8 suits and for which Winograd's algorithm is no choice.
TEST(Int8, AutoTakesWhatTheTableSays) {
  testing::Net net(Shape{64, 12, 12});
  net.conv("conv", net.input(), 64, Window::square(3, 2, 1));
  const onnx::ModelFile file = calibrated(net.build(), 2);
  const TuneOptions options{.precision = Precision::automatic, .rounds = 1, .runs = 1};
  Tuning tuning = tune(file, options, [](int, int) {}).value();
  const auto& trials = tuning.layers.at("conv").milliseconds;
  EXPECT_TRUE(trials.contains(Packing::direct));
  EXPECT_TRUE(trials.contains(Packing::int8));
  EXPECT_EQ(trials.contains(Packing::bf16), kernels::best_bf16_unit() != nullptr);
  for (const Packing packing : {Packing::direct, Packing::int8}) {
    tuning.layers.at("conv") = {.best = packing};
    ASSERT_TRUE(tuning.check(file, Precision::automatic));
    const auto model = make_model(file, Precision::automatic, tuning.policy()).value();
    const auto alone =
        packing == Packing::int8 ? testing::load_rounded(file, Precision::int8) : testing::load(file);
    const Floats images = testing::random_images(*model, 1);
    EXPECT_EQ(testing::run_alone(model, {}, images, 1, 0), testing::run_alone(alone, {}, images, 1, 0));
  }
}

/// One sub-net in int8, the other one in fp32: the weights are packed for both.
TEST(Int8, SubnetsCanHavePrecisionsOfTheirOwn) {
  const Graph graph = testing::resnet8();
  const onnx::ModelFile file = calibrated(graph, 2);
  Tuning tuning =
      tune(file, {.precision = Precision::automatic, .rounds = 1, .runs = 1}, [](int, int) {}).value();
  for (auto& [name, layer] : tuning.layers) {
    if (!layer.milliseconds.contains(Packing::int8)) continue;
    layer.best = Packing::direct;
    layer.also = {Packing::int8};
    layer.kernels.assign(file.subnets.size(), ConvKernel::direct);
    layer.kernels[1] = ConvKernel::int8;
  }
  tuning = Tuning::parse(tuning.to_json()).value();
  ASSERT_TRUE(tuning.check(file, Precision::automatic));
  const auto model = make_model(file, Precision::automatic, tuning.policy()).value();
  for (auto& [name, layer] : tuning.layers) layer.kernels.clear();
  const auto fp32 = make_model(file, Precision::automatic, tuning.policy()).value();
  EXPECT_EQ(model->packed_bytes(), fp32->packed_bytes());
  for (auto& [name, layer] : tuning.layers) {
    if (layer.also.empty()) continue;
    layer.best = Packing::int8;
    layer.also.clear();
  }
  const auto int8 = make_model(file, Precision::automatic, tuning.policy()).value();
  EXPECT_LT(int8->packed_bytes(), model->packed_bytes());
  const Floats images = testing::random_images(*model, 1);
  const auto outputs = [&](const auto& of, int subnet) {
    return testing::run_alone(of, {}, images, 1, subnet);
  };
  EXPECT_LE(testing::relative_error(outputs(model, 0), outputs(testing::load(file), 0)), 1e-5);
  EXPECT_EQ(outputs(model, 1), outputs(int8, 1));
  EXPECT_NE(outputs(model, 0), outputs(int8, 0));
}

TEST(Int8, AutoNeedsATable) {
  const auto model = make_model(calibrated(testing::resnet8(), 1), {.precision = Precision::automatic});
  ASSERT_FALSE(model);
  EXPECT_THAT(model.error().message, HasSubstr("make one with `concertina tune --precision auto`"));
}

/// What a layer reads where the block before it is left out is another tensor.
TEST(Int8, LayersBehindAnAbsentBlockAreCalibrated) {
  const Graph graph = testing::resnet8();
  const Subnet full = full_subnet(graph);
  const Subnet shallow = testing::leaving_out_branches(graph, full)[0];
  onnx::ModelFile file = testing::model_file(graph, {full, shallow});
  testing::calibrate(file, testing::random_images(*testing::load(file), kInt8Batch), kInt8Batch);
  const auto runs = calibrated_layers(file);
  std::vector<std::string> without;
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (!layer_filters(graph, id, Precision::fp32, false).empty() && !runs(id))
      without.push_back(graph.node(id).name);
  }
  EXPECT_THAT(without, ::testing::IsEmpty());
  const Graph running = variant(graph, shallow);
  for (const Node& node : running.nodes()) {  // whatever is missing, it loads
    onnx::ModelFile part = file;
    part.subnets[1].quantization.erase(node.name);
    EXPECT_TRUE(make_model(part, {.precision = Precision::int8})) << node.name;
  }
}

TEST(Int8, IsRefusedWithoutScales) {
  const Graph graph = testing::resnet8();
  onnx::ModelFile file = calibrated(graph, 2);
  file.subnets.back().quantization.clear();
  const auto model = make_model(file, {.precision = Precision::int8});
  ASSERT_FALSE(model);
  EXPECT_THAT(model.error().message, HasSubstr("has no scales for int8; run `concertina-train quantize`"));
  EXPECT_TRUE(make_model(file));
}

}  // namespace
}  // namespace concertina::runtime
