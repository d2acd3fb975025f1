// The recipes for large images, shortened, and a network from a file, on a small folder of images.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "concertina/subnet.h"
#include "graph/networks/networks.h"
#include "graph/random_weights.h"
#include "onnx/model_file.h"
#include "onnx/network_file.h"
#include "programs/programs.h"
#include "testing/image_files.h"

namespace concertina::testing {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class RecipesTest : public ProgramTest {
 protected:
  void SetUp() override {
    for (const auto& [split, count] : {std::pair{"train", 16}, {"val", 4}}) {
      for (int label = 0; label < 3; ++label) {
        for (int i = 0; i < count; ++i) {
          const data::Image image = testing::smooth_image(40 + 11 * (i % 4), 70 - 9 * (i % 5), 3, 2 * label);
          const fs::path path =
              fs::path("images") / split / ("class" + std::to_string(label)) / std::to_string(i);
          folder_.write(path.string() + (i % 2 == 0 ? ".png" : ".jpg"),
                        i % 2 == 0 ? testing::to_png(image) : testing::to_jpeg(image));
        }
      }
    }
  }

  ProcessResult train(const char* verb, const fs::path& file, std::vector<std::string> settings,
                      const std::vector<std::string>& options = {}) const {
    settings.insert(settings.end(),
                    {"data.path=" + (folder_ / "images").string(), "data.image_size=32", "data.validation=12",
                     "training.batch=6", "training.precision=fp32", "pretrain.epochs=1", "rank.epochs=1",
                     "search.groups=2", "search.images=12", "search.norm_batches=1", "search.threshold=0",
                     "select.subnets=3", "select.images=12", "joint.epochs=1", "package.norm_images=12"});
    std::vector<std::string> arguments = {verb,        file.string(), "--out", (folder_ / "run").string(),
                                          "--threads", "2",           "--json"};
    for (const std::string& setting : settings) arguments.insert(arguments.end(), {"--set", setting});
    arguments.insert(arguments.end(), options.begin(), options.end());
    return concertina_train(arguments);
  }
  ProcessResult run(const fs::path& recipe, const std::vector<std::string>& settings) const {
    return train("run", recipe, settings);
  }

  /// Expects sub-nets that are different, each a part of the one before.
  static void expect_chain(const nlohmann::json& subnets) {
    ASSERT_GE(subnets.size(), 2u);
    for (std::size_t i = 1; i < subnets.size(); ++i) {
      const auto larger = parse_subnet(subnets[i - 1]["widths"].get<std::string>()),
                 smaller = parse_subnet(subnets[i]["widths"].get<std::string>());
      EXPECT_TRUE(is_nested(*smaller, *larger));
      EXPECT_NE(*smaller, *larger);
    }
  }

  /// Expects a model of the run's sub-nets.
  void expect_model(const ProcessResult& result) const {
    ASSERT_EQ(result.exit_code, 0) << result.err;
    const auto table = nlohmann::json::parse(result.out);
    ASSERT_GE(table.size(), 2u);
    EXPECT_LT(table.back()["macs"].get<double>(), table[0]["macs"].get<double>());
    const auto model = onnx::read_model(folder_ / "run" / "model.onnx");
    ASSERT_TRUE(model) << model.error().message;
    EXPECT_EQ(model->subnets.size(), table.size());
    EXPECT_THAT(model->classes, ::testing::ElementsAre("class0", "class1", "class2"));
  }

  /// A network of `classes` for images of 32 x 32 pixels, as an exporter leaves it.
  fs::path write_network(int classes) const {
    const Graph graph =
        *make_network({.name = "resnet8", .input = {3, 32, 32}, .classes = classes, .width = 0.25});
    const auto bytes = onnx::serialize_static({graph, random_weights(graph)});
    EXPECT_TRUE(bytes);
    return folder_.write("net.onnx", *bytes);
  }
};

/// A recipe, and how its search is shortened.
struct Shortened {
  const char* recipe;
  const char* search;

  friend void PrintTo(const Shortened& one, std::ostream* stream) { *stream << one.recipe; }
};

class ImageNetRecipes : public RecipesTest, public ::testing::WithParamInterface<Shortened> {};

TEST_P(ImageNetRecipes, RunOnAnyFolderOfImages) {
  const std::string name = std::string(GetParam().recipe) + ".toml";
  const fs::path recipe = fs::path(CONCERTINA_SOURCE_DIR) / "recipes" / name;
  expect_model(run(recipe, {"network.width=0.0625", "data.resize=36", GetParam().search}));
  const std::string resolved = *read_file(folder_ / "run" / "recipe.toml");
  EXPECT_THAT(resolved, HasSubstr("crop = \"resized\""));
  EXPECT_THAT(resolved, HasSubstr("mean = [0.485, 0.456, 0.406]"));
}

INSTANTIATE_TEST_SUITE_P(Recipes, ImageNetRecipes,
                         ::testing::Values(Shortened{"imagenet-alexnet", "search.refresh_every=1"},
                                           Shortened{"imagenet-vgg11", "search.method=uniform"},
                                           Shortened{"imagenet-resnet18", "search.method=uniform"},
                                           Shortened{"imagenet-mobilenetv1", "search.method=uniform"}),
                         [](const auto& one) { return std::string(one.param.recipe).substr(9); });

TEST_F(RecipesTest, TheComparisonRunsWithAnotherSeedOnAnotherNetworkAndOtherData) {
  const ProcessResult result =
      train("compare", fs::path(CONCERTINA_SOURCE_DIR) / "recipes" / "cifar10-resnet20.comparison.toml",
            {"network=" + write_network(4).string(), "network.new_classifier=true", "joint.budget=12"},
            {"--seeds", "7"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto json = nlohmann::json::parse(result.out);
  ASSERT_EQ(json["runs"].size(), 13u);
  for (const auto& one : json["runs"]) {
    expect_chain(one["subnets"]);
    double macs = 0;
    for (const auto& cost : one["costs"]) macs += cost["macs"].get<double>();
    if (one["arm"] != "alone") {
      EXPECT_NEAR(macs / json["epoch_macs"].get<double>(), 12, 0.5) << one["arm"];
    }
  }
}

TEST_F(RecipesTest, ANetworkFromAFileIsTrainedOn) {
  write_network(3);
  folder_.write("recipe.toml", "network = \"net.onnx\"\n[data]\ncrop = \"resized\"\n");
  const ProcessResult first = run(folder_ / "recipe.toml", {"pretrain.epochs=0"});
  expect_model(first);
  EXPECT_THAT(first.err, HasSubstr("9 convolutions get the batch norms back"));
  const std::string fingerprint = *read_file(folder_ / "run" / "pretrain" / "fingerprint");

  // The file's bytes count, not its name; and what was resolved can be run again.
  fs::rename(folder_ / "net.onnx", folder_ / "other.onnx");
  folder_.write("recipe.toml", "[network]\nfile = \"other.onnx\"\n[data]\ncrop = \"resized\"\n");
  EXPECT_THAT(run(folder_ / "recipe.toml", {"pretrain.epochs=0"}).err, HasSubstr("pretrain: done before"));
  EXPECT_THAT(run(folder_ / "run" / "recipe.toml", {"pretrain.epochs=0"}).err,
              HasSubstr("joint: done before"));
  fs::copy(write_network(4), folder_ / "other.onnx", fs::copy_options::overwrite_existing);
  const ProcessResult refused = run(folder_ / "recipe.toml", {});
  expect_refused(refused, "set network.new_classifier = true");
  expect_model(run(folder_ / "recipe.toml", {"network.new_classifier=true"}));
  EXPECT_NE(*read_file(folder_ / "run" / "pretrain" / "fingerprint"), fingerprint);
}

}  // namespace
}  // namespace concertina::testing
