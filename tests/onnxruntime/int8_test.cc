#include <algorithm>
#include <cmath>

#include "graph/resolution.h"
#include "onnx/int8_export.h"
#include "onnxruntime/peer.h"
#include "runtime/observer.h"
#include "runtime/reference_interpreter.h"
#include "testing/models.h"

// ONNX Runtime takes every export in 8 bits, and computes nearly what it computes in floats.
namespace concertina {
namespace {

using testing::Floats;

constexpr int kCalibrated = 4;  // images

// Rounding a value to 8 bits adds an error of 1/255 of its range over the square root of 12, about a
// hundredth of its mean square root; such errors add up like noise, over few layers. The worst seen is 0.033,
// where a norm of each channel takes away what is common; the others are below 0.02. A wrong zero point or
// scale of a single tensor is far above.
constexpr double kInt8Bound = 0.05;

/// From the smallest to the largest value of each node, 0 among them.
Quantizations calibrated(const onnx::ModelFile& file, int subnet, const Floats& images) {
  auto observer = runtime::Observer::make(file, subnet, kCalibrated, 1);
  EXPECT_TRUE(observer) << observer.error().message;
  Quantizations scales;
  EXPECT_TRUE(observer->run(images, kCalibrated, [&](NodeId node, std::span<const float> values) {
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    const float low = std::min(*least, 0.0F), high = std::max(*most, 0.0F);
    const float scale = high > low ? (high - low) / 255 : 1;
    scales[file.network.graph.node(node).name] = {scale, static_cast<int>(std::nearbyint(-low / scale))};
  }));
  return scales;
}

/// The root of the error's share of the wanted values, both squared.
double error_share(const Floats& got, const Floats& wanted) {
  EXPECT_EQ(got.size(), wanted.size());
  double error = 0, all = 0;
  for (std::size_t i = 0; i < std::min(got.size(), wanted.size()); ++i) {
    error += std::pow(double{got[i]} - wanted[i], 2);
    all += std::pow(double{wanted[i]}, 2);
  }
  return std::sqrt(error / all);
}

/// One is slow to load: ONNX Runtime takes ten seconds for its 1100 layers in 8 bits.
std::vector<testing::NamedGraph> graphs_of_few_layers() {
  std::vector<testing::NamedGraph> graphs = testing::test_graphs();
  std::erase_if(graphs, [](const testing::NamedGraph& graph) { return graph.name == "unlike_sums"; });
  return graphs;
}

class Int8Test : public Peer, public ::testing::WithParamInterface<testing::NamedGraph> {};

TEST_P(Int8Test, OnnxRuntimeRunsEveryExport) {
  const Graph graph = GetParam().graph();
  std::vector<Subnet> subnets = testing::nested_subnets(graph, 2);
  for (Subnet& subnet : testing::leaving_out_branches(graph, subnets.back()))
    subnets.push_back(std::move(subnet));
  for (Subnet& subnet : testing::at_lower_resolutions(graph, subnets.back()))
    subnets.push_back(std::move(subnet));
  onnx::ModelFile file = testing::model_file(graph, subnets);
  const Floats images = testing::random_images(*testing::load(file), kCalibrated);
  set_images("images", images, input_shapes(graph, kCalibrated));
  for (std::size_t i = 0; i < file.subnets.size(); ++i) {
    onnx::SubnetRecord& record = file.subnets[i];
    record.quantization = calibrated(file, static_cast<int>(i), images);
    if (const Subnet& subnet = record.subnet; subnet.resolution > 0) {
      set_images("images@" + std::to_string(subnet.resolution),
                 runtime::scaled_images(graph, subnet, images, kCalibrated),
                 input_shapes(*at_resolution(graph, subnet.resolution), kCalibrated));
    }
    const auto floats = onnx::export_subnet(file, record.subnet);
    ASSERT_TRUE(floats) << floats.error().message;
    ask("floats" + std::to_string(i), *floats);
    const auto int8 = onnx::export_int8(file, record.subnet);
    ASSERT_TRUE(int8) << int8.error().message;
    ask("int8-" + std::to_string(i), *int8);
  }
  ASSERT_NO_FATAL_FAILURE(run_all());

  double worst = 0;
  for (std::size_t i = 0; i < file.subnets.size(); ++i) {
    const std::string number = std::to_string(i);
    const double error = error_share(answer("int8-" + number), answer("floats" + number));
    EXPECT_LE(error, kInt8Bound) << "sub-net " << to_string(file.subnets[i].subnet);
    worst = std::max(worst, error);
  }
  EXPECT_GT(worst, 1e-6) << "nothing was rounded";
  RecordProperty("worst_error", std::to_string(worst * 1e6) + "e-6");
}

INSTANTIATE_TEST_SUITE_P(Networks, Int8Test, ::testing::ValuesIn(graphs_of_few_layers()),
                         testing::name_of_graph);

using FusedInt8Test = Peer;

TEST_F(FusedInt8Test, OnnxRuntimeComputesTheLayersInIntegers) {
  const Graph graph = testing::resnet8();
  onnx::ModelFile file = testing::random_model(graph, 1);
  const Floats images = testing::random_images(*testing::load(file), kCalibrated);
  file.subnets[0].quantization = calibrated(file, 0, images);
  set_images("images", images, input_shapes(graph, kCalibrated));
  ask("int8", *onnx::export_int8(file, file.subnets[0].subnet), true);
  ASSERT_NO_FATAL_FAILURE(run_all());
  const std::string ran = optimized("int8");
  const auto count = [&](const std::string& type) {
    int found = 0;
    for (auto at = ran.find(type); at != std::string::npos; at = ran.find(type, at + 1)) ++found;
    return found;
  };
  EXPECT_EQ(count("QLinearConv"), 9);  // three blocks, two of which have a shortcut's, and the stem
  EXPECT_EQ(count("QLinearAdd"), 3);
  EXPECT_EQ(count("QLinearGlobalAveragePool"), 1);
  EXPECT_EQ(count("QGemm"), 1);
  EXPECT_EQ(count("Relu"), 0);
}

}  // namespace
}  // namespace concertina
