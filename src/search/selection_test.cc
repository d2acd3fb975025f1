#include "search/selection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "search/fake_evaluator.h"

namespace concertina::search {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(ParetoFront, KeepsWhatNothingDominates) {
  EXPECT_THAT(pareto_front({}), IsEmpty());
  const std::vector<SelectionPoint> points = {{8, 0.9}, {7, 0.95}, {6, 0.8}, {5, 0.8},
                                              {5, 0.8}, {4, 0.85}, {3, 0.1}};
  EXPECT_THAT(pareto_front(points), ElementsAre(1, 5, 6));
  EXPECT_THAT(pareto_front(std::vector<SelectionPoint>{{2, 0.5}, {2, 0.5}, {1, 0.1}}), ElementsAre(1, 2));
}

TEST(Thin, SpacesEvenlyInLogCost) {
  std::vector<SelectionPoint> chain;
  for (int i = 0; i <= 60; ++i) chain.push_back({std::exp2(-i / 10.0), 1 - 0.01 * i});
  EXPECT_THAT(thin(chain, 4), ElementsAre(0, 20, 40, 60));
  EXPECT_THAT(thin(chain, 2), ElementsAre(0, 60));
  EXPECT_EQ(thin(chain, 61).size(), 61u);
  EXPECT_EQ(thin(chain, 100).size(), 61u);
}

TEST(Thin, PrefersTheFrontNearBy) {
  // 2 is nearest to the middle, 4, but 3 dominates it.
  std::vector<SelectionPoint> chain = {{16, 0.9}, {8, 0.85}, {4, 0.5}, {3, 0.55}, {2, 0.4}, {1, 0.2}};
  EXPECT_THAT(thin(chain, 3), ElementsAre(0, 3, 5));
  EXPECT_THAT(thin(chain, 6), ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(Thin, LeavesNoSizeOutForTheFrontsSake) {
  // The last sub-net was fine-tuned and dominates all but the first two.
  std::vector<SelectionPoint> chain = {{64, 0.9}, {56, 0.8}, {32, 0.5}, {16, 0.4}, {8, 0.3}, {4, 0.7}};
  EXPECT_THAT(thin(chain, 5), ElementsAre(0, 2, 3, 4, 5));
}

TEST(Thin, KeepsBothEndsEvenIfDominated) {
  EXPECT_THAT(thin(std::vector<SelectionPoint>{{9, 0.5}, {6, 0.7}, {3, 0.6}, {1, 0.6}}, 3),
              ElementsAre(0, 2, 3));
}

/// Steps of the given accuracies; negative: reached by fine-tuning.
std::vector<TrajectoryStep> trajectory(const std::vector<double>& accuracies) {
  std::vector<TrajectoryStep> steps;
  for (const double accuracy : accuracies) {
    TrajectoryStep& step = steps.emplace_back();
    step.step = static_cast<int>(steps.size()) - 1;
    step.subnet.widths = {static_cast<int>(accuracies.size()) - step.step, 8};
    step.cost = std::exp2(-step.step);
    step.evaluation = {1, std::abs(accuracy)};
    if (accuracy < 0) step.before_fine_tuning = Evaluation{2, 0.1};
  }
  return steps;
}

TEST(DropDominated, IsThePapersRule) {
  EXPECT_THAT(drop_dominated({}), IsEmpty());
  EXPECT_THAT(drop_dominated(trajectory({0.9, 0.8, 0.85, 0.7})), ElementsAre(0, 2, 3));
  EXPECT_THAT(drop_dominated(trajectory({0.9, 0.8, 0.8})), ElementsAre(0, 1, 2));    // equal stays
  EXPECT_THAT(drop_dominated(trajectory({0.9, 0.6, 0.75})), ElementsAre(0, 1, 2));   // a jump
  EXPECT_THAT(drop_dominated(trajectory({0.9, 0.8, -0.85})), ElementsAre(0, 1, 2));  // fine-tuned
  EXPECT_THAT(drop_dominated(trajectory({0.9, -0.7, 0.72, -0.71})), ElementsAre(0, 2, 3));
  EXPECT_THAT(drop_dominated(trajectory({0.7, 0.72, 0.6})), ElementsAre(0, 1, 2));  // the full network
}

class Reselect : public ::testing::Test {
 protected:
  Result<std::vector<SelectedSubnet>> run(int count) {
    SilentProgress silent;
    EXPECT_TRUE(fake_.restore(0));
    return reselect(steps_, fake_, count, silent);
  }
  std::vector<int> chosen(int count) {
    std::vector<int> steps;
    const auto selected = run(count);
    if (selected) {
      for (const SelectedSubnet& subnet : *selected) steps.push_back(subnet.step);
    }
    return steps;
  }

  std::vector<TrajectoryStep> steps_ = trajectory({0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5});
  FakeEvaluator::Disk disk_;
  // Widths 7 .. 1; width 4 got worse than its smaller neighbours.
  FakeEvaluator fake_{
      [](const Subnet& s, double) { return s.widths[0] == 4 ? 0.9 : 0.8 - 0.1 * s.widths[0]; }, disk_};
};

TEST_F(Reselect, ChoosesByNewEvaluations) {
  const auto selected = *run(3);
  EXPECT_EQ(fake_.evaluations, 7);
  EXPECT_EQ(fake_.surprises, 0);
  ASSERT_EQ(selected.size(), 3u);
  EXPECT_EQ(selected[0].step, 0);
  EXPECT_NE(selected[1].step, 3);  // nearest to the middle, but dominated now
  EXPECT_EQ(selected[2].step, 6);
  for (std::size_t i = 0; i < selected.size(); ++i) {
    EXPECT_EQ(selected[i].evaluation, *fake_.evaluate(selected[i].subnet));
    if (i > 0) {
      EXPECT_TRUE(is_nested(selected[i].subnet, selected[i - 1].subnet));
    }
  }
}

TEST_F(Reselect, GivesAsManyAsAreWanted) {
  EXPECT_THAT(chosen(6), ElementsAre(0, 1, 2, 4, 5, 6));
  EXPECT_THAT(chosen(7), ElementsAre(0, 1, 2, 3, 4, 5, 6));
  EXPECT_THAT(chosen(20), ElementsAre(0, 1, 2, 3, 4, 5, 6));
  steps_.clear();
  EXPECT_THAT(chosen(8), IsEmpty());
}

TEST_F(Reselect, SpacesByTheCostsOfTheTrajectory) {
  for (TrajectoryStep& step : steps_) step.cost = step.step < 6 ? 10.0 - 0.1 * step.step : 1.0;
  EXPECT_THAT(chosen(3), ElementsAre(0, 5, 6));
}

TEST_F(Reselect, SaysWhatIsWrong) {
  EXPECT_THAT(run(1).error().message, HasSubstr("at least 2"));
  fake_.die_at_call(4);
  EXPECT_EQ(run(8).error().message, "killed");
}

}  // namespace
}  // namespace concertina::search
