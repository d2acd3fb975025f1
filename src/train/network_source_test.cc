#include "train/network_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "onnx/network_file.h"
#include "testing/onnx_models.h"
#include "testing/temporary_folder.h"
#include "testing/train_structures.h"
#include "train/supernet/supernet.h"

namespace concertina::train {
namespace {

using ::testing::HasSubstr;

constexpr Shape kShape{3, 12, 12};
constexpr int kClasses = 4;

Network network_of(const char* structure) {
  for (const testing::Structure& one : testing::structures()) {
    if (one.name == structure) return {one.graph, concertina::testing::random_weights(one.graph)};
  }
  ADD_FAILURE() << structure;
  return {testing::structures()[0].graph, {}};
}

Result<Network> fit(const Network& network, const recipe::Recipe::Network& recipe = {},
                    const Shape& shape = kShape, int classes = kClasses) {
  SilentProgress progress;
  return fit_network(network, recipe, shape, classes, progress);
}

std::string refusal(const Network& network, const recipe::Recipe::Network& recipe = {},
                    const Shape& shape = kShape, int classes = kClasses) {
  const auto fitting = fit(network, recipe, shape, classes);
  return fitting ? "no error" : fitting.error().message;
}

TEST(FitNetwork, TakesWhatSuitsAsItIs) {
  const Network network = network_of("resnext");
  const Network fitting = *fit(network);
  EXPECT_EQ(fitting.graph, network.graph);
  EXPECT_EQ(fitting.weights, network.weights);
}

TEST(FitNetwork, SaysWhatDoesNotSuitTheData) {
  const Network network = network_of("resnext");
  EXPECT_THAT(refusal(network, {}, {1, 12, 12}),
              HasSubstr("takes images of 3 channels, but the data's have 1"));
  EXPECT_THAT(refusal(network, {}, {3, 24, 12}), HasSubstr("12 x 12 pixels, but the data's have 24 x 12"));
  EXPECT_THAT(refusal(network, {}, {3, 24, 12}), HasSubstr("data.image_size"));
  EXPECT_THAT(refusal(network_of("u_net")),
              HasSubstr("is a map of 12 x 12 pixels, but recipes train classifiers"));
  EXPECT_THAT(refusal(network_of("two_inputs")), HasSubstr("has the inputs 'Input1', 'Input2'"));
}

TEST(FitNetwork, OtherClassesTakeANewClassifier) {
  const Network network = network_of("resnext");
  EXPECT_THAT(refusal(network, {}, kShape, 7), HasSubstr("tells 4 classes apart, but the data has 7"));
  EXPECT_THAT(refusal(network, {}, kShape, 7), HasSubstr("network.new_classifier = true"));
  recipe::Recipe::Network recipe;
  recipe.new_classifier = true;
  const Network fitting = *fit(network, recipe, kShape, 7);
  EXPECT_EQ(fitting.graph.shape(fitting.graph.output()).channels, 7);
  EXPECT_EQ(fitting.weights.size(), network.weights.size() - 2);
}

TEST(FitNetwork, OfSeveralOutputsOneIsChosen) {
  const Network network = network_of("many_outputs");
  const std::string scores = network.graph.node(network.graph.output()).name;
  EXPECT_THAT(refusal(network), HasSubstr("it has the outputs '" + scores + "', "));
  EXPECT_THAT(refusal(network), HasSubstr("choose one with network.output"));
  recipe::Recipe::Network recipe;
  recipe.output = "none";
  EXPECT_THAT(refusal(network, recipe),
              HasSubstr("has no output 'none'; set network.output to one of '" + scores));
  recipe.output = scores;
  const Network fitting = *fit(network, recipe);
  EXPECT_EQ(fitting.graph.outputs().size(), 1u);
  EXPECT_LT(fitting.graph.size(), network.graph.size());
}

TEST(FitNetwork, LeavesOffASoftmax) {
  const Network network = network_of("resnext");
  std::vector<Node> nodes(network.graph.nodes().begin(), network.graph.nodes().end());
  nodes.push_back({"softmax", op::Softmax{}, {network.graph.output()}});
  EXPECT_EQ(fit({*Graph::make(nodes), network.weights})->graph, network.graph);
}

TEST(OpenNetwork, ReadsAFileAndPutsNormsBack) {
  const testing::TestFolder folder;
  const std::filesystem::path path = folder / "net.onnx";
  const Graph graph = *make_network({.name = "resnet8", .input = kShape, .classes = kClasses, .width = 0.25});
  const auto bytes = onnx::serialize_static({graph, concertina::testing::random_weights(graph)});
  ASSERT_TRUE(bytes) << bytes.error().message;
  ASSERT_TRUE(write_file(path, *bytes));
  SilentProgress progress;
  recipe::Recipe::Network recipe;
  recipe.file = path.string();
  const auto source = open_network(recipe, kShape, kClasses, progress);
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_EQ(source->norms.size(), 9u);  // 7 convolutions and 2 on shortcuts
  EXPECT_EQ(source->network.graph.layout().free_dimensions, graph.layout().free_dimensions);
  EXPECT_TRUE(check_weights(source->network.graph, source->network.weights));
  recipe.batch_norm = recipe::NetworkNorms::keep;
  const auto kept = open_network(recipe, kShape, kClasses, progress);
  ASSERT_TRUE(kept) << kept.error().message;
  EXPECT_TRUE(kept->norms.empty());
  EXPECT_EQ(kept->file_hash, source->file_hash);
  EXPECT_THAT(open_network(recipe, {1, 12, 12}, kClasses, progress).error().message,
              HasSubstr(path.string()));
}

class OpenStructure : public ::testing::TestWithParam<testing::Structure> {};

TEST_P(OpenStructure, ComputesWhatWasWritten) {
  const Network network = network_of(GetParam().name.c_str());
  const testing::TestFolder folder;
  const std::filesystem::path path = folder / "net.onnx";
  const auto bytes = onnx::serialize_static(network);
  ASSERT_TRUE(bytes) << bytes.error().message;
  ASSERT_TRUE(write_file(path, *bytes));
  SilentProgress progress;
  recipe::Recipe::Network recipe;
  recipe.file = path.string();
  if (network.graph.outputs().size() > 1) {
    const std::string refused = open_network(recipe, kShape, kClasses, progress).error().message;
    EXPECT_THAT(refused, HasSubstr("it has the outputs '"));
    recipe.output = refused.substr(refused.find("outputs '") + 9);
    recipe.output.resize(recipe.output.find('\''));
  }
  const auto source = open_network(recipe, kShape, kClasses, progress);
  ASSERT_TRUE(source) << source.error().message;
  const torch::NoGradGuard no_grad;
  const torch::Tensor images = torch::randn({4, 3, 12, 12});
  const auto forward = [&](const Network& net) {
    const Tensors arrays = to_tensors(net.weights, torch::kCPU);
    return Supernet::make(net.graph, arrays, {})
        ->forward(images, full_subnet(net.graph), {.statistics = &arrays});
  };
  const torch::Tensor wanted = forward(network), got = forward(source->network);
  EXPECT_LT(((got - wanted).abs().max() / wanted.abs().max()).item<double>(), 1e-4);
}

/// Dilated means are not in the operator set that is written.
std::vector<testing::Structure> classifiers() {
  std::vector<testing::Structure> list;
  for (const testing::Structure& structure : testing::structures()) {
    const Shape& output = structure.graph.shape(structure.graph.output());
    if (structure.graph.inputs() == 1 && output.height == 1 && structure.name != "dilated_means")
      list.push_back(structure);
  }
  return list;
}

INSTANTIATE_TEST_SUITE_P(Structures, OpenStructure, ::testing::ValuesIn(classifiers()),
                         [](const auto& one) { return one.param.name; });

TEST(OpenNetwork, RefusesWhatHasNothingToLeaveOut) {
  op::Input input;
  input.shape = kShape;
  op::Conv conv;
  conv.in_channels = 3;
  conv.out_channels = kClasses;
  const testing::TestFolder folder;
  const std::filesystem::path path = folder / "net.onnx";
  const Graph graph =
      *Graph::make({{"x", input, {}}, {"conv", conv, {0}}, {"pool", op::GlobalAveragePool{}, {1}}});
  ASSERT_TRUE(write_file(path, *onnx::serialize_static({graph, concertina::testing::random_weights(graph)})));
  SilentProgress progress;
  recipe::Recipe::Network recipe;
  recipe.file = path.string();
  EXPECT_THAT(open_network(recipe, kShape, kClasses, progress).error().message,
              HasSubstr("no channels of the network can be left out"));
}

}  // namespace
}  // namespace concertina::train
