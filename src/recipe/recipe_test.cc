#include "recipe/recipe.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/file.h"
#include "testing/temporary_folder.h"

namespace concertina::recipe {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string error_of(std::string_view text, std::vector<std::string> settings = {}) {
  const auto recipe = parse_recipe(text, "r.toml", settings);
  return recipe ? "no error" : recipe.error().message;
}

TEST(Recipe, EveryKeySurvivesWritingAndReading) {
  Recipe recipe;
  recipe.seed = 7;
  recipe.network.name = "resnet20";
  recipe.network.width = 0.5;
  recipe.data.path = "/a \"quoted\" path";
  recipe.training.precision = Precision::fp32;
  recipe.joint.start = JointStart::scratch;
  const auto read = parse_recipe(to_toml(recipe), "r.toml", {});
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(to_toml(*read), to_toml(recipe));
  EXPECT_EQ(read->data.path, recipe.data.path);
  EXPECT_EQ(read->joint.start, JointStart::scratch);
}

TEST(Recipe, AnEmptyFileIsTheDefaults) {
  EXPECT_EQ(to_toml(*parse_recipe("", "r.toml", {})), to_toml(Recipe{}));
}

TEST(Recipe, SettingsOverrideTheFile) {
  const std::vector<std::string> settings = {"search.groups=4", "network.name=vgg11", "rank.method=\"l1\"",
                                             "training.learning_rate=0.5"};
  const auto recipe = parse_recipe("[search]\ngroups = 2\nimages = 10\n", "r.toml", settings);
  ASSERT_TRUE(recipe) << recipe.error().message;
  EXPECT_EQ(recipe->search.groups, 4);
  EXPECT_EQ(recipe->search.images, 10);
  EXPECT_EQ(recipe->network.name, "vgg11");
  EXPECT_EQ(recipe->rank.method, RankMethod::l1);
  EXPECT_EQ(recipe->training.learning_rate, 0.5);
}

TEST(Recipe, UnknownKeysOfferTheNearest) {
  EXPECT_THAT(error_of("[search]\ngroup = 4"),
              HasSubstr("no key 'search.group'; did you mean 'search.groups'?"));
  EXPECT_THAT(error_of("sed = 4"), HasSubstr("did you mean 'seed'?"));
  EXPECT_THAT(error_of("[serch]\ngroups = 4"), HasSubstr("did you mean 'search.groups'?"));
  EXPECT_THAT(error_of("", {"joint.epoch=3"}), HasSubstr("did you mean 'joint.epochs'?"));
  EXPECT_THAT(error_of("", {"groups=4"}), HasSubstr("no key 'groups'; did you mean 'search.groups'?"));
  EXPECT_THAT(error_of("", {"grops=4"}), HasSubstr("no key 'grops'; did you mean 'search.groups'?"));
  EXPECT_THAT(error_of("", {"epochs=4"}),
              HasSubstr("did you mean one of pretrain.epochs, rank.epochs, joint.epochs, quantize.epochs?"));
}

TEST(Recipe, WhatASettingDoesWrongIsBlamedOnIt) {
  EXPECT_THAT(error_of("[search]\ngroups = 2", {"search.groups=vier"}),
              StartsWith("--set search.groups=vier: search.groups must be a whole number"));
  EXPECT_THAT(
      error_of("[search]\ngroups = 2", {"seed=2", "search.floor_groups=3"}),
      StartsWith("r.toml with --set seed=2 --set search.floor_groups=3: search.floor_groups = 3 is more"));
  EXPECT_THAT(error_of("[search]\nfloor_groups = 9", {"seed=2"}), StartsWith("r.toml: search.floor_groups"));
}

TEST(Recipe, WrongTypesAndRangesNameTheKey) {
  EXPECT_THAT(error_of("[search]\ngroups = 2.5"), HasSubstr("search.groups must be a whole number"));
  EXPECT_THAT(error_of("[search]\ngroups = 0"),
              HasSubstr("r.toml: line 2: search.groups must be a whole number from 1 to 1000000000"));
  EXPECT_THAT(error_of("[search]\nthreshold = \"high\""), HasSubstr("search.threshold must be a number"));
  EXPECT_THAT(error_of("[search]\nthreshold = nan"),
              HasSubstr("search.threshold must be a number from 0 to 1"));
  EXPECT_THAT(error_of("[data]\nflip = 1"), HasSubstr("data.flip must be true or false"));
  EXPECT_THAT(error_of("[rank]\nmethod = \"l2\""),
              HasSubstr("rank.method must be one of noise, l1, input_l1"));
  EXPECT_THAT(error_of("search = 3"), HasSubstr("no key 'search'"));
}

TEST(Recipe, KeysThatMakeNoSenseTogetherAreRefused) {
  EXPECT_THAT(error_of("[search]\nfloor_groups = 9"),
              HasSubstr("search.floor_groups = 9 is more than search.groups = 8"));
  EXPECT_THAT(error_of("[search]\nend_fraction = 1.0"), HasSubstr("nothing to search"));
  EXPECT_THAT(error_of("[search]\ngroups = 2\nend_fraction = 0.8"), HasSubstr("nothing to search"));
  EXPECT_THAT(error_of("[search]\ncost = \"latency\""), HasSubstr("name it in search.latency_table"));
  EXPECT_THAT(error_of("[search]\nmethod = \"given\""), HasSubstr("name it in search.subnets"));
  EXPECT_THAT(error_of("[data]\nresize = 20"), HasSubstr("data.resize is for data.crop"));
  EXPECT_THAT(
      error_of("[data]\nmean = [104.0, 117.0, 123.0]"),
      HasSubstr("data.mean = 104 is above 1, but pixels are scaled to 0..1; divide it by 255, or set"));
  EXPECT_EQ(error_of("[data]\nrange = \"0..255\"\nmean = [104.0, 117.0, 123.0]"), "no error");
  EXPECT_THAT(error_of("task = \"segment\""), HasSubstr("name an ONNX file in network.file"));
  EXPECT_THAT(error_of("[data]\ncrop = \"resized\"\nimage_size = 16\nresize = 8"),
              HasSubstr("data.resize = 8 is less than"));
  EXPECT_THAT(error_of("[joint]\nmethod = \"alone\"\nprivate_norm = true"),
              HasSubstr("without joint.private_norm"));
  EXPECT_THAT(error_of("[joint]\nmethod = \"alone\"\nfocus = 0.9"), HasSubstr("without joint.focus"));
}

TEST(Recipe, ANewClassifierMustBeTrainedBeforeItIsUsed) {
  const std::string file = "network.file = \"a.onnx\"\nnetwork.new_classifier = true\npretrain.epochs = ";
  EXPECT_EQ(error_of(file + "1"), "no error");
  EXPECT_THAT(error_of(file + "0"), HasSubstr("pretrain.epochs = 0 does not train it"));
  const std::string scratch = file + "0\njoint.start = \"scratch\"",
                    uniform = "\nsearch.method = \"uniform\"";
  EXPECT_EQ(error_of(scratch + uniform), "no error");
  EXPECT_THAT(error_of(scratch), HasSubstr("does not train it"));
  EXPECT_THAT(error_of(scratch + uniform + "\nrank.method = \"taylor\""), HasSubstr("does not train it"));
}

TEST(Recipe, ABudgetMustLeaveSomethingForJointTraining) {
  const auto error = [](std::string_view text) {
    const Status status = check_budget(*parse_recipe(text, "r.toml", {}));
    return status ? "no error" : status.error().message;
  };
  EXPECT_THAT(
      error("[pretrain]\nepochs = 4\n[joint]\nbudget = 4"),
      HasSubstr("joint.budget = 4 epochs of the full network, and pretrain.epochs = 4 leave nothing"));
  EXPECT_EQ(error("[pretrain]\nepochs = 4\n[joint]\nbudget = 4.5"), "no error");
  EXPECT_THAT(error("[pretrain]\nepochs = 1\n[rank]\nmethod = \"noise\"\n[joint]\nbudget = 4.5"),
              HasSubstr("pretrain.epochs = 1, rank.epochs = 2 (each counts as two) leave nothing"));
  EXPECT_EQ(error("[joint]\nmethod = \"alone\"\nbudget = 4"), "no error");
  EXPECT_EQ(error(""), "no error");
}

TEST(Recipe, TheScheduleSpansTheBudgetOrPretrainingAndJointTraining) {
  const auto epochs = [](std::string_view text) {
    return schedule_epochs(*parse_recipe(text, "r.toml", {}));
  };
  const std::string stages =
      "[pretrain]\nepochs = 3\n[rank]\nepochs = 2\nmethod = \"noise\"\n[joint]\nepochs = 5\n";
  EXPECT_EQ(epochs(stages), 8);
  EXPECT_EQ(epochs(stages + "budget = 30"), 30);
  EXPECT_EQ(epochs(stages + "start = \"scratch\""), 3 + 2 * 2);
}

TEST(Recipe, ANetworkIsReadFromAFileOrBuiltByName) {
  const auto recipe = parse_recipe("network = \"net.onnx\"", "r.toml", {});
  ASSERT_TRUE(recipe) << recipe.error().message;
  EXPECT_EQ(recipe->network.file, std::filesystem::absolute("net.onnx"));
  EXPECT_EQ(to_toml(*parse_recipe(to_toml(*recipe), "r.toml", {})), to_toml(*recipe));
  EXPECT_EQ(parse_recipe("[network]\nfile = \"a.onnx\"", "r.toml", {})->network.file,
            std::filesystem::absolute("a.onnx"));
  EXPECT_THAT(error_of("network = \"net.onnx\"", {"network.width=0.5"}),
              HasSubstr("network.file and network.width are both given"));
  EXPECT_THAT(error_of("[network]\nname = \"vgg11\"\nfile = \"a.onnx\""),
              HasSubstr("network.file and network.name are both given"));
  EXPECT_THAT(error_of("[network]\nnew_classifier = true"), HasSubstr("name it in network.file"));
  EXPECT_THAT(error_of("network = 3"), HasSubstr("no key 'network'"));
}

TEST(Recipe, ASettingReplacesTheNetwork) {
  const std::string built_in = "[network]\nname = \"vgg11\"\nwidth = 0.5";
  const std::vector<std::string> other = {"network=b.onnx", "network.output=y"};
  const auto kept = parse_recipe("[network]\nfile = \"a.onnx\"\nnew_classifier = true", "r.toml", other);
  ASSERT_TRUE(kept) << kept.error().message;
  EXPECT_FALSE(kept->network.new_classifier);
  EXPECT_EQ(kept->network.output, "y");
  const auto here = std::filesystem::absolute("a.onnx").string();
  for (const char* setting : {"network=a.onnx", "network.file=a.onnx"}) {
    const auto recipe = parse_recipe(built_in, "r.toml", std::vector<std::string>{setting});
    ASSERT_TRUE(recipe) << recipe.error().message;
    EXPECT_EQ(recipe->network.file, here);
    EXPECT_EQ(recipe->network.width, 1);
  }
  const std::vector<std::string> by_name = {"network.name=resnet20"};
  const auto recipe = parse_recipe("[network]\nfile = \"a.onnx\"\nnew_classifier = true", "r.toml", by_name);
  ASSERT_TRUE(recipe) << recipe.error().message;
  EXPECT_EQ(recipe->network.file, "");
}

TEST(Recipe, PathsAreFromTheRecipesFolderAndThoseOfSettingsFromTheWorkingFolder) {
  const testing::TestFolder folder;
  folder.write("r.toml",
               "network = \"nets/net.onnx\"\n[data]\npath = \"../data\"\n"
               "[search]\nsubnets = \"/s.json\"\nlatency_table = \"t.json\"\n");
  const auto recipe = read_recipe(folder / "r.toml", {});
  ASSERT_TRUE(recipe) << recipe.error().message;
  EXPECT_EQ(recipe->network.file, folder / "nets" / "net.onnx");
  EXPECT_EQ(recipe->data.path, (folder / "..").lexically_normal() / "data");
  EXPECT_EQ(recipe->search.subnets, "/s.json");
  EXPECT_EQ(recipe->search.latency_table, folder / "t.json");
  // What is written is absolute, so it is the same recipe wherever it lies and is read.
  folder.write("elsewhere/r.toml", to_toml(*recipe));
  EXPECT_EQ(to_toml(*read_recipe(folder / "elsewhere" / "r.toml", {})), to_toml(*recipe));
  const std::vector<std::string> settings = {"data.path=data"};
  EXPECT_EQ(read_recipe(folder / "r.toml", settings)->data.path, std::filesystem::absolute("data"));
}

TEST(Recipe, ListsOfNumbersAreReadAndWritten) {
  const auto recipe = parse_recipe("[data]\nmean = [0.485, 0.5, 1]\nstddev = []", "r.toml", {});
  ASSERT_TRUE(recipe) << recipe.error().message;
  EXPECT_EQ(recipe->data.mean, (std::vector<double>{0.485, 0.5, 1}));
  EXPECT_EQ(parse_recipe(to_toml(*recipe), "r.toml", {})->data.mean, recipe->data.mean);
  EXPECT_THAT(error_of("[data]\nmean = 0.5"), HasSubstr("data.mean must be a list"));
  EXPECT_THAT(error_of("[data]\nmean = [true]"), HasSubstr("data.mean[0] must be a number"));
  EXPECT_THAT(error_of("[data]\nstddev = [0.0]"),
              HasSubstr("data.stddev[0] must be a number from 1e-06 to 255"));
}

TEST(Recipe, DistillingNeedsATrainedNetworkAndDoesNotPretrainIt) {
  const auto recipe = parse_recipe(
      "task = \"distill\"\nnetwork = \"net.onnx\"\n[distill]\nlosses = [\"auto\", \"values\"]\nweights = [1, 2]",
      "r.toml", {});
  ASSERT_TRUE(recipe) << recipe.error().message;
  EXPECT_EQ(recipe->task, Task::distill);
  EXPECT_EQ(recipe->pretrain.epochs, 0);
  EXPECT_EQ(recipe->distill.losses, (std::vector{LearnedAs::automatic, LearnedAs::values}));
  EXPECT_EQ(recipe->distill.weights, (std::vector<double>{1, 2}));
  EXPECT_EQ(to_toml(*parse_recipe(to_toml(*recipe), "r.toml", {})), to_toml(*recipe));
  EXPECT_EQ(parse_recipe("task = \"distill\"\nnetwork = \"n.onnx\"\n[pretrain]\nepochs = 2", "r.toml", {})
                ->pretrain.epochs,
            2);
  EXPECT_EQ(parse_recipe("network = \"n.onnx\"", "r.toml", {})->pretrain.epochs, Recipe().pretrain.epochs);
  EXPECT_THAT(error_of("task = \"distill\""), HasSubstr("name its ONNX file in network.file"));
  EXPECT_THAT(error_of("task = \"distil\""), HasSubstr("task must be"));
  EXPECT_THAT(error_of("task = \"distill\"\n[network]\nfile = \"n.onnx\"\nnew_classifier = true"),
              HasSubstr("network.new_classifier replaces them"));
  EXPECT_THAT(error_of("[distill]\nweights = [1]"), HasSubstr("set task = \"distill\""));
  EXPECT_THAT(error_of("task = \"distill\"\nnetwork = \"n.onnx\"\n[distill]\nlosses = [\"value\"]"),
              HasSubstr("distill.losses[0] must be"));
}

TEST(Recipe, BadTomlNamesTheLine) {
  EXPECT_THAT(error_of("seed = 1\n[search\n"), HasSubstr("r.toml: line 2"));
  EXPECT_THAT(error_of("", {"groups"}), HasSubstr("write it as table.key=value"));
}

TEST(Recipe, FineTuningIsAStageIfItHasEpochs) {
  Recipe recipe;
  const std::vector<Stage> usual = stages_of(recipe);
  EXPECT_EQ(std::count(usual.begin(), usual.end(), Stage::fine_tune), 0);
  recipe = *parse_recipe("[quantize]\nlearning_rate = 0.02", "r.toml",
                         std::vector<std::string>{"quantize.epochs=1"});
  EXPECT_EQ(recipe.quantize.epochs, 1);
  EXPECT_EQ(recipe.quantize.learning_rate, 0.02);
  std::vector<Stage> stages = stages_of(recipe);
  EXPECT_EQ(std::erase(stages, Stage::fine_tune), 1u);
  EXPECT_EQ(stages, usual);
  EXPECT_EQ(stages_of(recipe)[5], Stage::fine_tune);
}

TEST(Recipe, FineTuningNeedsSharedWeights) {
  EXPECT_THAT(error_of("[joint]\nmethod = \"alone\"\n[quantize]\nepochs = 1"),
              HasSubstr("joint.method = \"alone\" gives each its own; leave one of the two out"));
  EXPECT_THAT(error_of("[quantize]\nepochs = -1"), HasSubstr("quantize.epochs must be"));
  EXPECT_THAT(error_of("[quantize]\nlearning_rate = 0"), HasSubstr("quantize.learning_rate must be"));
  EXPECT_THAT(error_of("[quantise]\nepochs = 1"), HasSubstr("did you mean 'quantize.epochs'?"));
}

}  // namespace
}  // namespace concertina::recipe
