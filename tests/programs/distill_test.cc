// Networks that are no classifiers, distilled from pictures and arrays without labels.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/random.h"
#include "graph/random_weights.h"
#include "onnx/model_file.h"
#include "onnx/network_file.h"
#include "programs/programs.h"
#include "testing/graphs.h"
#include "testing/image_files.h"
#include "testing/net.h"

namespace concertina::testing {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

constexpr int kImages = 60;

/// A vector of 12 values: an embedding.
Graph embedding() {
  Net net({3, 10, 12});
  const NodeId body = net.conv_bn_relu("a", net.conv_bn_relu("stem", kImage, 12, Window::square(3, 1, 1)), 16,
                                       Window::square(3, 2, 1));
  net.linear("embedding", net.flatten("flat", body), 12);
  return net.build();
}

class DistillTest : public ProgramTest {
 protected:
  void write_network(const Graph& graph, const std::string& enlarged = {}) const {
    Network network{graph, random_weights(graph)};
    for (auto& [name, array] : network.weights) {
      if (name != enlarged) continue;
      for (float& value : array.values) value *= 20;
    }
    const auto bytes = onnx::serialize_static(network);
    ASSERT_TRUE(bytes) << bytes.error().message;
    folder_.write("net.onnx", *bytes);
    folder_.write("recipe.toml", "task = \"distill\"\nnetwork = \"net.onnx\"\n[data]\npath = \"data\"\n");
  }
  void write_pictures(int height, int width) const {
    for (int i = 0; i < kImages; ++i)
      folder_.write(fmt::format("data/{}/{}.png", i % 3, i), to_png(smooth_image(height, width, 3, i)));
  }
  void write_array(const std::string& name, const Shape& shape) const {
    std::string header =
        fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}, {}, {}), }}\n", kImages,
                    shape.channels, shape.height, shape.width);
    std::string bytes = "\x93NUMPY";
    bytes += {1, 0, static_cast<char>(header.size()), 0};
    bytes += header;
    const CounterRandom random(5, name.size());
    for (int i = 0; i < kImages * shape.channels * shape.height * shape.width; ++i) {
      const auto value = static_cast<float>(random.below(1000, static_cast<std::uint64_t>(i))) / 500 - 1;
      bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    folder_.write("data/" + name + ".npy", bytes);
  }

  ProcessResult run(const std::vector<std::string>& settings = {}) const {
    std::vector<std::string> arguments = {
        "run",   (folder_ / "recipe.toml").string(), "--out", (folder_ / "run").string(), "--threads", "1",
        "--json"};
    for (const char* setting : {"training.batch=8", "training.precision=fp32", "training.learning_rate=0.002",
                                "search.groups=2", "select.subnets=3", "joint.epochs=4"})
      arguments.insert(arguments.end(), {"--set", setting});
    for (const std::string& setting : settings) arguments.insert(arguments.end(), {"--set", setting});
    return concertina_train(arguments);
  }

  /// The model of a run, whose sub-nets compute what the trainer says.
  Result<onnx::ModelFile> expect_model(const ProcessResult& run, double least = 0.5) const {
    EXPECT_EQ(run.exit_code, 0) << run.err;
    const fs::path path = folder_ / "run" / "model.onnx";
    auto model = onnx::read_model(path);
    if (!model) {
      ADD_FAILURE() << model.error().message;
      return model;
    }
    EXPECT_GE(model->subnets.size(), 2u);
    for (const onnx::SubnetRecord& one : model->subnets) EXPECT_FALSE(one.probe_logits.empty());
    EXPECT_GE(*model->subnets[0].test_accuracy, least) << "the full network begins as its own teacher";
    const ProcessResult verify = concertina({"verify", path.string(), "--json"});
    EXPECT_EQ(verify.exit_code, 0) << verify.err;
    for (const auto& row : nlohmann::json::parse(verify.out, nullptr, false))
      EXPECT_LT(row["from_trainer"].get<double>(), 1e-4);
    return model;
  }
};

TEST_F(DistillTest, ANetworkOfMapsLearnsFromAFolderOfPictures) {
  write_network(unet());
  write_pictures(10, 12);
  const ProcessResult first = run();
  const onnx::ModelFile model = *expect_model(first);
  EXPECT_TRUE(model.classes.empty());
  EXPECT_THAT(first.err, HasSubstr("'mask.act' is learned as values"));
  EXPECT_THAT(first.err, HasSubstr("give them in data.mean and data.stddev"));
  EXPECT_THAT(first.err, HasSubstr("validation agreement "));
  EXPECT_THAT(run().err, HasSubstr("joint: done before"));
  const std::string path = (folder_ / "run/model.onnx").string(), data = (folder_ / "data").string();
  expect_refused(concertina({"eval", path, "--data", data}), "name that network's file with --teacher");
  for (const char* split : {"validation", "test"}) {
    const ProcessResult eval = concertina({"eval", path, "--data", data, "--split", split, "--teacher",
                                           (folder_ / "net.onnx").string(), "--json"});
    ASSERT_EQ(eval.exit_code, 0) << eval.err;
    const auto rows = nlohmann::json::parse(eval.out);
    ASSERT_EQ(rows.size(), model.subnets.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const double wanted = split == std::string("test") ? *model.subnets[i].test_accuracy
                                                         : model.subnets[i].validation_accuracy;
      EXPECT_NEAR(rows[i]["accuracy"].get<double>(), wanted, 1e-4);
    }
  }
  EXPECT_THAT(run({"distill.losses=[\"distribution\"]"}).err,
              HasSubstr("'mask.act' is learned as a distribution"));
}

TEST_F(DistillTest, WhatIsKeptIsNeverNarrower) {
  write_network(embedding());
  write_pictures(10, 12);
  const onnx::ModelFile model = *expect_model(run({"search.keep=[\"st*\"]"}), 0.1);
  for (const onnx::SubnetRecord& one : model.subnets) EXPECT_EQ(one.subnet.widths[0], 12);
  EXPECT_LT(model.subnets.back().subnet.widths[1], 16);
  expect_refused(run({"search.keep=[\"sten\"]"}),
                 "search.keep: no channels that can be left out are called 'sten'; did you mean 'stem");
  expect_refused(run({"search.keep=[\"*\"]"}), "so there is nothing to search");
}

TEST_F(DistillTest, EveryOutputIsLearnedWithItsWeight) {
  write_network(many_outputs());
  write_pictures(12, 12);
  const onnx::ModelFile model = *expect_model(run({"distill.weights=[1,2,1,1]"}));
  EXPECT_EQ(model.network.graph.outputs().size(), 4u);
  expect_refused(run({"distill.weights=[1,2]"}),
                 "distill.weights has 2 entries, but the network has 4 outputs");
  // One of them by its name.
  const std::string map = model.network.graph.node(model.network.graph.outputs()[1]).name;
  EXPECT_EQ(expect_model(run({"network.output=" + map}))->network.graph.outputs().size(), 1u);
}

TEST_F(DistillTest, AnEmbeddingHasNoClasses) {
  write_network(embedding());
  write_pictures(10, 12);
  EXPECT_TRUE(expect_model(run(), 0.1)->classes.empty());
  expect_refused(
      concertina({"classify", (folder_ / "run/model.onnx").string(), (folder_ / "data/0/0.png").string()}),
      "tells no classes apart");
}

// Its classes have no names, but its teacher prefers one on each picture.
TEST_F(DistillTest, AClassifierHasACascade) {
  Net net({3, 10, 12});
  const NodeId body = net.conv_bn_relu("a", net.conv_bn_relu("stem", kImage, 12, kThree), 16, kThree);
  net.softmax("soft", net.linear("scores", net.flatten("flat", net.global("pool", body)), 4));
  write_network(net.build(), "scores.weight");
  write_pictures(10, 12);
  EXPECT_THAT(expect_model(run({"data.validation=24"}), 0.1)->classes,
              ::testing::ElementsAre("0", "1", "2", "3"));
  const std::string path = (folder_ / "run/model.onnx").string(), data = (folder_ / "data").string(),
                    cascade = (folder_ / "c.json").string();
  // Its outputs are probabilities. A Softmax of those could not give more than e / (e + 3).
  const ProcessResult answer = concertina({"classify", path, (folder_ / "data/0/0.png").string(), "--json"});
  ASSERT_EQ(answer.exit_code, 0) << answer.err;
  EXPECT_GT(nlohmann::json::parse(answer.out)[0]["answers"][0]["probability"].get<double>(), 0.48);
  const std::vector<std::string> choose = {"cascade", path, "--data", data, "--folds", "2", "--out", cascade};
  expect_refused(concertina(choose), "name that network's file with --teacher");
  const std::vector<std::string> teacher = {"--teacher", (folder_ / "net.onnx").string()};
  const auto with_teacher = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), teacher.begin(), teacher.end());
    return concertina(arguments);
  };
  const ProcessResult chosen = with_teacher(choose);
  ASSERT_EQ(chosen.exit_code, 0) << chosen.err;
  const ProcessResult measured =
      with_teacher({"cascade", path, "--data", data, "--split", "test", "--use", cascade, "--json"});
  EXPECT_EQ(measured.exit_code, 0) << measured.err;
}

TEST_F(DistillTest, ANetworkOfTwoInputsLearnsFromArrays) {
  const Graph graph = two_images();
  write_network(graph);
  write_array("second", graph.shape(1));
  write_array("image", graph.shape(0));
  // Means over maps of noise differ less than the statistics of a few samples do.
  EXPECT_EQ(expect_model(run(), 0)->network.graph.inputs(), 2);
  expect_refused(run({"data.mean=[0.5,0.5,0.5]"}), "arrays are taken as they are");
  const auto eval = [&] {
    return concertina({"eval", (folder_ / "run/model.onnx").string(), "--data", (folder_ / "data").string(),
                       "--teacher", (folder_ / "net.onnx").string()});
  };
  const auto [channels, height, width] = graph.shape(0);
  write_array("image", {height, width, channels});
  expect_refused(eval(), "for the input 'image', which takes");
  write_array("image", graph.shape(0));
  fs::rename(folder_ / "data/second.npy", folder_ / "data/second");
  expect_refused(eval(), "has no 'second.npy'");
  fs::rename(folder_ / "data/second", folder_ / "data/second.npy");
  write_network(graph, "b.weight");
  expect_refused(eval(), "is not the file that the model was distilled from");
  write_network(graph);
  fs::rename(folder_ / "data/second.npy", folder_ / "data/other.npy");
  expect_refused(run(), "it has the inputs 'image', 'second', but the data has no 'second.npy'");
  write_array("second", {3, 12, 10});
  expect_refused(run(), "its input 'second' is 3x12x12, but the data's is 3x12x10");
  expect_refused(run({"task=classify"}), "holds arrays, which have no labels");
}

TEST_F(DistillTest, AClassifierIsRefusedMapsWithTheCure) {
  write_network(unet());
  write_pictures(10, 12);
  expect_refused(run({"task=classify"}), "or \"distill\" to learn what it gives");
}

}  // namespace
}  // namespace concertina::testing
