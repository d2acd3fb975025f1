#include "recipe/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/temporary_folder.h"

namespace concertina::recipe {
namespace {

using ::testing::HasSubstr;

class ComparisonTest : public ::testing::Test {
 protected:
  void SetUp() override { folder_.write("base.toml", "[joint]\nepochs = 3\n[search]\ngroups = 4\n"); }

  Result<Comparison> read(const std::string& text, const std::vector<std::string>& settings = {}) {
    return read_comparison(folder_.write("comparison.toml", text), settings);
  }
  void expect_refused(const std::string& text, const std::string& part) {
    const auto comparison = read(text);
    ASSERT_FALSE(comparison) << text;
    EXPECT_THAT(comparison.error().message, HasSubstr(part));
    EXPECT_THAT(comparison.error().message, HasSubstr("comparison.toml"));
  }

  const testing::TestFolder folder_;
};

const std::string kHead = "recipe = \"base.toml\"\nreferences = [\"b\"]\n";
const std::string kArms =
    "[[arm]]\nname = \"a\"\n[[arm]]\nname = \"b\"\nsearch.method = \"uniform\"\npretrain.epochs = 0\n";

TEST_F(ComparisonTest, ArmsAreRecipesOverACommonOne) {
  const Comparison comparison = *read("seeds = [4, 5]\nbudget = 17.5\npoints = 3\n" + kHead + kArms,
                                      {"training.learning_rate=0.3", "pretrain.epochs=9"});
  EXPECT_EQ(comparison.seeds, (std::vector<int>{4, 5}));
  EXPECT_EQ(comparison.points, 3);
  ASSERT_EQ(comparison.arms.size(), 2u);
  EXPECT_EQ(comparison.arms[0].name, "a");
  EXPECT_EQ(comparison.arms[0].recipe.search.method, SearchMethod::progressive);
  EXPECT_EQ(comparison.arms[1].recipe.search.method, SearchMethod::uniform);
  EXPECT_EQ(comparison.arms[0].recipe.pretrain.epochs, 9);
  EXPECT_EQ(comparison.arms[1].recipe.pretrain.epochs, 0);  // an arm's own keys are what it is
  for (const Arm& arm : comparison.arms) {
    EXPECT_EQ(arm.recipe.joint.epochs, 3);
    EXPECT_EQ(arm.recipe.search.groups, 4);
    EXPECT_EQ(arm.recipe.joint.budget, 17.5);
    EXPECT_EQ(arm.recipe.training.learning_rate, 0.3);
  }
}

TEST_F(ComparisonTest, PathsOfAnArmAreFromTheComparisonsFolder) {
  const Comparison comparison =
      *read(kHead + kArms + "[[arm]]\nname = \"c\"\nsearch.latency_table = \"t.json\"\n");
  EXPECT_EQ(comparison.arms[2].recipe.search.latency_table, folder_ / "t.json");
}

TEST_F(ComparisonTest, HasDefaults) {
  const Comparison comparison = *read(kHead + kArms);
  EXPECT_EQ(comparison.seeds, std::vector<int>{1});
  EXPECT_EQ(comparison.points, 8);
  EXPECT_EQ(comparison.arms[0].recipe.joint.budget, 0);
}

TEST_F(ComparisonTest, ThoseOfTheRecipesAreRight) {
  int comparisons = 0;
  for (const auto& file :
       std::filesystem::directory_iterator(std::filesystem::path(CONCERTINA_SOURCE_DIR) / "recipes")) {
    if (!file.path().string().ends_with(".comparison.toml")) continue;
    const auto comparison = read_comparison(file.path(), {});
    EXPECT_TRUE(comparison) << comparison.error().message;
    ++comparisons;
  }
  EXPECT_GE(comparisons, 3);
}

TEST_F(ComparisonTest, SaysWhatIsWrong) {
  expect_refused("seed = [1]\n" + kHead + kArms, "did you mean 'seeds'?");
  expect_refused("seeds = 1\n" + kHead + kArms, "seeds must be a list");
  expect_refused("seeds = [-1]\n" + kHead + kArms, "seeds[0] must be a whole number from 0");
  expect_refused("seeds = [1, 2, 1]\n" + kHead + kArms, "seeds[2]: 1 is there twice");
  expect_refused(kHead + kArms + "[[arm]]\nname = \"c\"\nseed = 2\n", "arm 'c' has a seed");
  expect_refused("budget = 20\n" + kHead + kArms + "[[arm]]\nname = \"c\"\njoint.budget = 2\n",
                 "arm 'c' has a joint.budget");
  expect_refused("points = 1\n" + kHead + kArms, "points must be");
  expect_refused("budget = 0\n" + kHead + kArms, "budget must be");
  expect_refused(kArms, "recipe is missing; it must be text in quotes");
  expect_refused("recipe = \"base.toml\"\n" + kArms, "references is missing");
  expect_refused("recipe = \"none.toml\"\nreferences = [\"b\"]\n" + kArms, "none.toml");
  expect_refused("recipe = \"base.toml\"\nreferences = [\"c\"]\n" + kArms, "'c' is none of the arms");
  expect_refused(kHead, "there are no arms");
  expect_refused(kHead + kArms + "[[arm]]\nname = \"a\"\n", "two arms have the name 'a'");
  expect_refused(kHead + kArms + "[[arm]]\nname = \"../a\"\n", "arm[2].name must be a name of letters");
  expect_refused(kHead + kArms + "[[arm]]\nname = \"c\"\njoint.epoch = 2\n",
                 "line 11: there is no key 'arm[2].joint.epoch'");
  expect_refused(kHead + kArms + "[[arm]]\nname = \"c\"\njoint.epoch = 2\n", "did you mean 'joint.epochs'?");
  expect_refused(kHead + kArms + "[[arm]]\nname = \"c\"\ntask = \"distill\"\nnetwork.file = \"net.onnx\"\n",
                 "arm 'c' has another task, distill table or network.output than 'a'");
  expect_refused("recipe = \n", "line 1");
}

}  // namespace
}  // namespace concertina::recipe
