#include "train/network_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "graph/networks/networks.h"
#include "graph/random_weights.h"
#include "onnx/network_file.h"
#include "testing/graphs.h"
#include "testing/net.h"
#include "testing/temporary_folder.h"
#include "train/supernet/supernet.h"

namespace concertina::train {
namespace {

using ::testing::HasSubstr;

constexpr Shape kShape{3, 12, 12};
const std::vector<DataInput> kData = {{"", kShape}};
constexpr int kClasses = 4;

Network with_weights(const Graph& graph) {
  return {graph, random_weights(graph)};
}

Result<Network> fit(const Network& network, const recipe::Recipe::Network& recipe = {},
                    const Shape& shape = kShape, int classes = kClasses) {
  SilentProgress progress;
  return fit_network(network, recipe::Task::classify, recipe, shape, classes, progress);
}

std::string refusal(const Network& network, const recipe::Recipe::Network& recipe = {},
                    const Shape& shape = kShape, int classes = kClasses) {
  const auto fitting = fit(network, recipe, shape, classes);
  return fitting ? "no error" : fitting.error().message;
}

TEST(FitNetwork, TakesWhatSuitsAsItIs) {
  const Network network = with_weights(testing::resnext());
  const Network fitting = *fit(network);
  EXPECT_EQ(fitting.graph, network.graph);
  EXPECT_EQ(fitting.weights, network.weights);
}

TEST(FitNetwork, SaysWhatDoesNotSuitTheData) {
  const Network network = with_weights(testing::resnext());
  EXPECT_THAT(refusal(network, {}, {1, 12, 12}),
              HasSubstr("takes images of 3 channels, but the data's have 1"));
  EXPECT_THAT(refusal(network, {}, {3, 24, 12}), HasSubstr("12 x 12 pixels, but the data's have 24 x 12"));
  EXPECT_THAT(refusal(network, {}, {3, 24, 12}), HasSubstr("data.image_size"));
  EXPECT_THAT(refusal(with_weights(testing::unet()), {}, {3, 10, 12}),
              HasSubstr("is a map of 7 x 23 pixels, but a classifier gives a vector"));
  EXPECT_THAT(refusal(with_weights(testing::two_images())), HasSubstr("has the inputs 'image', 'second'"));
}

TEST(FitNetwork, OtherClassesTakeANewClassifier) {
  const Network network = with_weights(testing::resnext());
  EXPECT_THAT(refusal(network, {}, kShape, 7), HasSubstr("tells 4 classes apart, but the data has 7"));
  EXPECT_THAT(refusal(network, {}, kShape, 7), HasSubstr("network.new_classifier = true"));
  recipe::Recipe::Network recipe;
  recipe.new_classifier = true;
  const Network fitting = *fit(network, recipe, kShape, 7);
  EXPECT_EQ(fitting.graph.shape(fitting.graph.output()).channels, 7);
  EXPECT_EQ(fitting.weights.size(), network.weights.size() - 2);
}

TEST(FitNetwork, OfSeveralOutputsOneIsChosen) {
  const Network network = with_weights(testing::many_outputs());
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
  const Network network = with_weights(testing::resnext());
  std::vector<Node> nodes(network.graph.nodes().begin(), network.graph.nodes().end());
  nodes.push_back({"softmax", op::Softmax{}, {network.graph.output()}});
  EXPECT_EQ(fit({*Graph::make(nodes), network.weights})->graph, network.graph);
}

TEST(OpenNetwork, ReadsAFileAndPutsNormsBack) {
  const testing::TestFolder folder;
  const std::filesystem::path path = folder / "net.onnx";
  const Graph graph = *make_network({.name = "resnet8", .input = kShape, .classes = kClasses, .width = 0.25});
  const auto bytes = onnx::serialize_static(with_weights(graph));
  ASSERT_TRUE(bytes) << bytes.error().message;
  ASSERT_TRUE(write_file(path, *bytes));
  SilentProgress progress;
  recipe::Recipe recipe;
  recipe.network.file = path.string();
  const auto source = open_network(recipe, kData, kClasses, progress);
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_EQ(source->norms.size(), 9u);  // 7 convolutions and 2 on shortcuts
  EXPECT_EQ(source->network.graph.layout().free_dimensions, graph.layout().free_dimensions);
  EXPECT_TRUE(check_weights(source->network.graph, source->network.weights));
  recipe.network.batch_norm = recipe::NetworkNorms::keep;
  const auto kept = open_network(recipe, kData, kClasses, progress);
  ASSERT_TRUE(kept) << kept.error().message;
  EXPECT_TRUE(kept->norms.empty());
  EXPECT_EQ(kept->file_hash, source->file_hash);
  EXPECT_THAT(
      open_network(recipe, std::vector<DataInput>{{"", {1, 12, 12}}}, kClasses, progress).error().message,
      HasSubstr(path.string()));
}

class OpenStructure : public ::testing::TestWithParam<testing::NamedGraph> {};

TEST_P(OpenStructure, ComputesWhatWasWritten) {
  const Network network = with_weights(GetParam().graph());
  const Shape shape = network.graph.shape(network.graph.input());
  const int classes = network.graph.shape(network.graph.output()).channels;
  const testing::TestFolder folder;
  const std::filesystem::path path = folder / "net.onnx";
  const auto bytes = onnx::serialize_static(network);
  ASSERT_TRUE(bytes) << bytes.error().message;
  ASSERT_TRUE(write_file(path, *bytes));
  SilentProgress progress;
  recipe::Recipe recipe;
  recipe.network.file = path.string();
  if (network.graph.outputs().size() > 1) {
    const std::string refused =
        open_network(recipe, std::vector<DataInput>{{"", shape}}, classes, progress).error().message;
    EXPECT_THAT(refused, HasSubstr("it has the outputs '"));
    recipe.network.output = refused.substr(refused.find("outputs '") + 9);
    recipe.network.output.resize(recipe.network.output.find('\''));
  }
  const auto source = open_network(recipe, std::vector<DataInput>{{"", shape}}, classes, progress);
  ASSERT_TRUE(source) << source.error().message;
  const torch::NoGradGuard no_grad;
  const torch::Tensor images = torch::randn({4, shape.channels, shape.height, shape.width});
  const auto forward = [&](const Network& net) {
    const Tensors arrays = to_tensors(net.weights, torch::kCPU);
    return Supernet::make(net.graph, arrays, {})
        ->forward(images, full_subnet(net.graph), {.statistics = &arrays});
  };
  const torch::Tensor wanted = forward(network);
  torch::Tensor got = forward(source->network);
  const auto* softmax = std::get_if<op::Softmax>(&network.graph.node(network.graph.output()).op);
  // The trainer leaves it to its loss.
  if (softmax) got = softmax->logarithm ? torch::log_softmax(got, 1) : torch::softmax(got, 1);
  EXPECT_LT(((got - wanted).abs().max() / wanted.abs().max()).item<double>(), 1e-4);
}

std::vector<testing::NamedGraph> classifiers() {
  std::vector<testing::NamedGraph> list = testing::structures();
  std::erase_if(list, [](const testing::NamedGraph& net) {
    const Graph graph = net.graph();
    return graph.inputs() > 1 || graph.shape(graph.output()).height > 1 || !net.shrinks;
  });
  return list;
}

INSTANTIATE_TEST_SUITE_P(Structures, OpenStructure, ::testing::ValuesIn(classifiers()),
                         testing::name_of_graph);

TEST(OpenNetwork, RefusesWhatHasNothingToLeaveOut) {
  testing::Net net(kShape);
  net.global("pool", net.conv("conv", testing::kImage, kClasses));
  const testing::TestFolder folder;
  const std::filesystem::path path = folder / "net.onnx";
  ASSERT_TRUE(write_file(path, *onnx::serialize_static(with_weights(net.build()))));
  SilentProgress progress;
  recipe::Recipe recipe;
  recipe.network.file = path.string();
  EXPECT_THAT(open_network(recipe, kData, kClasses, progress).error().message,
              HasSubstr("no channels of the network can be left out"));
}

}  // namespace
}  // namespace concertina::train
