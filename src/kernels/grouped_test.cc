#include "kernels/grouped.h"

#include "kernels/testing/conv_problem.h"

namespace concertina::kernels {
namespace {

class GroupedTest : public KernelTest {
 protected:
  void check(const ConvCase& c) {
    const ConvProblem problem(c);
    const Floats y = problem.run(1, ConvKernel::grouped);
    ASSERT_EQ(y, problem.run(3, ConvKernel::grouped));
    errors_.add(y, reference::conv(problem.ref), problem.magnitude());
  }

  /// Group sizes that fill vectors.
  static std::vector<int> sizes() {
    std::vector<int> list;
    for (int size = 1; size < vector_lanes(); size *= 2) list.push_back(size);
    return list;
  }

  ErrorStatistics errors_;
};
INSTANTIATE_TEST_SUITE_P(Targets, GroupedTest, all_targets(), name_of);

TEST_P(GroupedTest, AnyNumberOfGroups) {
  if (vector_lanes() < 4) GTEST_SKIP() << "no vectors to fill";
  for (const int size : sizes()) {
    for (const int groups : {2, 3, 2 * vector_lanes() / size, 2 * vector_lanes() / size + 1}) {
      for (const FusedActivation act : {FusedActivation::none, FusedActivation::relu6}) {
        const Filter filter{.groups = groups, .out_channels = size, .in_channels = size, .taps = 9};
        ASSERT_TRUE(can_run_grouped(filter));
        check({.batch = 2,
               .window = window(5, 7, 3, 1, 1, 1),
               .groups = groups,
               .full_inputs = {size},
               .inputs = {size},
               .full_out = size,
               .out = size,
               .residual = act == FusedActivation::none,
               .act = act});
      }
    }
  }
  errors_.expect_below(4e-7);
}

TEST_P(GroupedTest, Functions) {
  if (vector_lanes() < 4) GTEST_SKIP() << "no vectors to fill";
  for (const int size : sizes()) {
    for (const auto function : {PointwiseFunction::Kind::silu, PointwiseFunction::Kind::prelu}) {
      check({.batch = 2,
             .window = window(5, 7, 3, 1, 1, 1),
             .groups = 2 * vector_lanes() / size + 1,
             .full_inputs = {size},
             .inputs = {size},
             .full_out = size,
             .out = size,
             .function = function});
    }
  }
  errors_.expect_below(4e-7);
}

TEST_P(GroupedTest, AnyWindow) {
  if (vector_lanes() < 4) GTEST_SKIP() << "no vectors to fill";
  for (const auto& [kernel, dilation] : {std::pair{1, 1}, {3, 1}, {3, 2}, {5, 1}}) {
    for (const int stride : {1, 2}) {
      for (const auto& [h, w] : {std::pair{5, 9}, {6, 7}, {12, 17}}) {
        check({.batch = 3,
               .window = window(h, w, kernel, stride, kernel / 2, kernel - 1, dilation),
               .groups = 7,
               .full_inputs = {2},
               .inputs = {2},
               .full_out = 2,
               .out = 2,
               .in_place = false});
      }
    }
  }
  errors_.expect_below(4e-7);
}

TEST_P(GroupedTest, RefusesGroupsThatFillNoVector) {
  EXPECT_FALSE(can_run_grouped({.groups = 1, .out_channels = 2, .in_channels = 2}));
  EXPECT_FALSE(can_run_grouped({.groups = 4, .out_channels = 4, .in_channels = 2}));
  EXPECT_FALSE(can_run_grouped({.groups = 4, .out_channels = 3, .in_channels = 3}));
  EXPECT_FALSE(can_run_grouped({.groups = 4, .out_channels = vector_lanes(), .in_channels = vector_lanes()}));
}

}  // namespace
}  // namespace concertina::kernels
