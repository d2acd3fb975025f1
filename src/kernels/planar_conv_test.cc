#include "kernels/planar_conv.h"

#include "kernels/testing/conv_problem.h"

namespace concertina::kernels {
namespace {

class PlanarConvTest : public KernelTest {
 protected:
  void check(const ConvCase& c) {
    const ConvProblem problem(c);
    const Floats y = problem.run(1, ConvKernel::planar);
    errors_.add(y, reference::conv(problem.ref), problem.magnitude());
    ASSERT_EQ(y, problem.run(3, ConvKernel::planar)) << "three threads give other bits";
  }

  void TearDown() override {
    errors_.expect_below(3e-6);
    KernelTest::TearDown();
  }

  ErrorStatistics errors_;
};

std::vector<std::string> targets_with_vectors() {
  std::vector<std::string> names = target_names();
  std::erase(names, "SCALAR");
  return names;
}
INSTANTIATE_TEST_SUITE_P(Targets, PlanarConvTest, ::testing::ValuesIn(targets_with_vectors()), name_of);

TEST_P(PlanarConvTest, AnyWindow) {
  for (const int kernel : {1, 2, 3, 5, 7}) {
    for (const int stride : {1, 2, 3}) {
      for (const int dilation : {1, 2}) {
        for (const int pad : {0, 1, 3}) {
          if (9 + pad < (kernel - 1) * dilation + 1) continue;
          check({.batch = 2,
                 .window = window(9, 21, kernel, stride, pad, 0, dilation),
                 .full_inputs = {3},
                 .inputs = {3},
                 .full_out = 5,
                 .out = 4});
        }
      }
    }
  }
}

TEST_P(PlanarConvTest, AnySizeOfMap) {
  for (const int h : {1, 2, 5, 8}) {
    for (const int w : {1, 2, 7, 8, 15, 16, 17, 33, 130}) {
      for (const int stride : {1, 2}) {
        check(whole(1, window(h, w, 3, stride, 1, 1), 2, 3));
      }
    }
  }
}

TEST_P(PlanarConvTest, AnyNumberOfChannels) {
  for (int out = 1; out <= 19; ++out) {
    for (const int in : {1, 2, 3, 4, 5, 9}) {
      check({.window = window(6, 11, 3, 1, 1, 1),
             .full_inputs = {10},
             .inputs = {in},
             .full_out = 20,
             .out = out,
             .residual = true,
             .in_place = out % 2 == 0});
    }
  }
}

TEST_P(PlanarConvTest, SubnetsArePrefixes) {
  for (const ConvCase& c : prefix_cases(window(5, 6, 3, 1, 1, 1))) {
    if (c.out <= kMaxPlanarOutputs) check(c);
  }
}

TEST_P(PlanarConvTest, ReadsSegments) {
  for (const ConvCase& c : segment_cases(window(5, 4, 3, 1, 1, 1))) check(c);
}

TEST_P(PlanarConvTest, Epilogues) {
  for (const ConvCase& c : epilogue_cases(window(6, 7, 3, 1, 1, 1))) check(c);
}

TEST_P(PlanarConvTest, ReadsImages) {
  for (const int stride : {1, 2}) {
    check({.batch = 3,
           .window = window(9, 40, 3, stride, 1, 1),
           .full_inputs = {3},
           .inputs = {3},
           .full_out = 8,
           .out = 6,
           .dense = true});
  }
}

TEST_P(PlanarConvTest, PlainInputs) {
  for (const int kernel : {1, 3, 7}) {
    for (const int stride : {1, 2, 3}) {
      for (const int width : {1, 9, 16, 31, 40}) {
        check({.batch = 3,
               .window = window(9, width, kernel, stride, kernel / 2, kernel / 2),
               .full_inputs = {3, 2},
               .inputs = {2, 2},
               .full_out = 8,
               .out = 6,
               .plain = true});
      }
    }
  }
}

TEST_P(PlanarConvTest, ManyChunksOfRows) {
  check({.batch = 2,
         .window = window(70, 61, 3, 1, 1, 1),
         .full_inputs = {66},
         .inputs = {65},
         .full_out = 3,
         .out = 2});
}

TEST(PlanarConv, NeedsVectors) {
  for (const std::string& target : target_names()) {
    ASSERT_TRUE(limit_target(target));
    EXPECT_EQ(can_run_planar({.out_channels = 8, .in_channels = 8, .taps = 9}), vector_lanes() >= 4)
        << target;
  }
  ASSERT_TRUE(limit_target(""));
}

TEST(PlanarConv, KnowsItsFilters) {
  EXPECT_TRUE(can_run_planar({.out_channels = 8, .in_channels = 8, .taps = kMaxPlanarTaps}));
  EXPECT_FALSE(can_run_planar({.out_channels = 8, .in_channels = 8, .taps = kMaxPlanarTaps + 1}));
  EXPECT_FALSE(can_run_planar({.groups = 2, .out_channels = 4, .in_channels = 4, .taps = 9}));
}

}  // namespace
}  // namespace concertina::kernels
