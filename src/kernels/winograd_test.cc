#include "kernels/winograd.h"

#include "kernels/testing/conv_problem.h"

namespace concertina::kernels {
namespace {

class WinogradTest : public KernelTest {
 protected:
  void check(const ConvCase& c) {
    const ConvProblem problem(c);
    const Floats wanted = reference::conv(problem.ref);
    for (const ConvKernel kernel : {ConvKernel::winograd2, ConvKernel::winograd}) {
      const Floats y = problem.run(1, kernel);
      errors(kernel).add(y, wanted, problem.magnitude());
      ASSERT_EQ(y, problem.run(3, kernel)) << "three threads give other bits";
    }
  }

  // With side 4 the transforms multiply by up to 8 and 1/24: the worst seen is 6e-6, the root of the mean
  // square 2e-7.
  void TearDown() override {
    errors(ConvKernel::winograd).expect_below(1e-5);
    errors(ConvKernel::winograd2).expect_below(2e-6);
    KernelTest::TearDown();
  }

 private:
  ErrorStatistics& errors(ConvKernel kernel) { return errors_[kernel == ConvKernel::winograd ? 1 : 0]; }

  std::array<ErrorStatistics, 2> errors_;
};
INSTANTIATE_TEST_SUITE_P(Targets, WinogradTest, all_targets(), name_of);

TEST_P(WinogradTest, AnySizeOfMap) {
  for (const int h : {1, 2, 3, 4, 5, 8, 9}) {
    for (const int w : {1, 2, 3, 4, 5, 7, 12, 13}) {
      for (const int pad : {0, 1, 2}) {
        if (std::min(h, w) + 2 * pad < 3) continue;
        check({.batch = 2,
               .window = window(h, w, 3, 1, pad, pad),
               .full_inputs = {3},
               .inputs = {3},
               .full_out = 5,
               .out = 4});
      }
    }
  }
}

TEST_P(WinogradTest, SubnetsArePrefixes) {
  for (const ConvCase& c : prefix_cases(window(9, 6, 3, 1, 1, 1))) check(c);
}

TEST_P(WinogradTest, ReadsSegments) {
  for (const ConvCase& c : segment_cases(window(5, 4, 3, 1, 1, 1))) check(c);
}

TEST_P(WinogradTest, Epilogues) {
  for (const ConvCase& c : epilogue_cases(window(6, 7, 3, 1, 1, 1))) check(c);
}

TEST_P(WinogradTest, ManyChunksOfTiles) {
  check({.batch = 2,
         .window = window(37, 41, 3, 1, 1, 1),
         .full_inputs = {70},
         .inputs = {66},
         .full_out = 3,
         .out = 3});
}

TEST(Winograd, KnowsItsWindows) {
  const Filter filter{.out_channels = 8, .in_channels = 8, .taps = 9};
  EXPECT_TRUE(can_run_winograd(filter, window(9, 9, 3, 1, 1, 1)));
  EXPECT_FALSE(can_run_winograd(filter, window(9, 9, 3, 2, 1, 1)));
  EXPECT_FALSE(can_run_winograd(filter, window(9, 9, 3, 1, 1, 1, 2)));
  EXPECT_FALSE(can_run_winograd(filter, window(9, 9, 5, 1, 2, 2)));
  EXPECT_FALSE(can_run_winograd({.groups = 2, .out_channels = 4, .in_channels = 4, .taps = 9},
                                window(9, 9, 3, 1, 1, 1)));
}

}  // namespace
}  // namespace concertina::kernels
