#include "kernels/conv.h"

#include "kernels/testing/conv_problem.h"

namespace concertina::kernels {
namespace {

class ConvTest : public KernelTest {
 protected:
  void check(const ConvCase& c) {
    const ConvProblem problem(c);
    const Floats y = problem.run(1);
    errors_.add(y, reference::conv(problem.ref), problem.magnitude());
    ASSERT_EQ(y, problem.run(3)) << "three threads give other bits";
  }

  // About 200 products are summed one after the other in float: the worst of many sums is a few units of
  // 2^-24.
  void TearDown() override {
    errors_.expect_below(4e-7);
    KernelTest::TearDown();
  }

  ErrorStatistics errors_;
};
INSTANTIATE_TEST_SUITE_P(Targets, ConvTest, all_targets(), name_of);

TEST_P(ConvTest, AnyNumberOfChannels) {
  const int most = 2 * vector_lanes() + 1;
  for (int channels = 1; channels <= most; ++channels) {
    check(whole(1, window(5, 7, 3, 1, 1, 1), 3, channels));
    check(whole(1, window(3, 4, 3, 1, 1, 1), channels, 5));
  }
  check(whole(1, window(2, 3, 1, 1, 0, 0), 2, 5 * most));
}

TEST_P(ConvTest, AnyWindow) {
  for (const int kernel : {1, 2, 3, 5, 7, 11}) {
    for (const int stride : {1, 2, 3}) {
      for (const int begin : {0, kernel / 2, kernel - 1}) {
        for (const auto& [h, w] : {std::pair{1, 1}, {1, 9}, {5, 7}, {12, 13}}) {
          const int end = std::max(kernel / 2, kernel - 1 - begin);
          check(whole(2, window(h, w, kernel, stride, begin, end), 2, 3));
        }
      }
    }
  }
  WindowArgs odd = window(9, 11, 3, 1, 2, 1, 2);  // dilated, and not square in anything
  odd.kernel_w = 2;
  odd.stride_w = 3;
  odd.pad_left = 1;
  odd.out_w = 4;
  check(whole(3, odd, 3, 5));
}

TEST_P(ConvTest, RowsOfAnyWidth) {
  for (const int kernel : {1, 3, 5, 7}) {
    for (const int stride : {1, 2}) {
      for (int w = 1; w <= 40; ++w) {
        for (const int out : {3, vector_lanes() + 2}) {
          check({.window = window(3, w, kernel, stride, kernel / 2, kernel / 2),
                 .full_inputs = {4},
                 .inputs = {3},
                 .full_out = vector_lanes() + 3,
                 .out = out});
        }
      }
    }
  }
}

TEST_P(ConvTest, PointwiseOfAnyWidth) {
  const int lanes = vector_lanes();
  for (const int out : {2 * lanes + 1, 3 * lanes, 3 * lanes + 1, 4 * lanes, 4 * lanes + 1, 7 * lanes + 2}) {
    for (const int w : {1, 16, 17, 18, 19, 20, 21, 23}) {
      check({.window = window(1, w, 1, 1, 0, 0),
             .full_inputs = {9, 4},
             .inputs = {7, 3},
             .full_out = 10 * lanes,
             .out = out,
             .residual = true,
             .act = FusedActivation::relu6});
    }
  }
  for (const int inputs : {128, 129}) {  // as many as a tile of two panels takes, and more
    check({.batch = 3,
           .window = window(3, 2, 1, 1, 0, 0),
           .full_inputs = {129},
           .inputs = {inputs},
           .full_out = 4 * lanes,
           .out = 4 * lanes});
  }
}

TEST_P(ConvTest, SubnetsArePrefixes) {
  for (const ConvCase& c : prefix_cases(window(4, 5, 3, 1, 1, 1))) check(c);
}

TEST_P(ConvTest, ReadsSegments) {
  for (const ConvCase& c : segment_cases(window(5, 4, 3, 1, 1, 1))) check(c);
}

TEST_P(ConvTest, ImagesWithoutPadding) {
  for (const int kernel : {3, 5, 7}) {
    for (const int stride : {1, 2}) {
      for (const int channels : {1, 3}) {
        check({.batch = 2,
               .window = window(6, 70, kernel, stride, kernel / 2, kernel / 2),
               .full_inputs = {channels},
               .inputs = {channels},
               .full_out = 2 * vector_lanes() + 1,
               .out = 2 * vector_lanes() + 1,
               .dense = true});
      }
    }
  }
}

TEST_P(ConvTest, PlainInputs) {
  int taken = 0;
  for (const int kernel : {3, 5, 7}) {
    for (const int stride : {1, 2}) {
      for (const int width : {1, 5, 30, 70}) {
        const WindowArgs w = window(6, width, kernel, stride, kernel / 2, kernel / 2);
        if (!conv_reads_planes(w)) continue;
        ++taken;
        for (const int out : {3, vector_lanes() + 1}) {
          check({.batch = 2,
                 .window = w,
                 .full_inputs = {2, 3},
                 .inputs = {2, 1},
                 .full_out = 2 * vector_lanes() + 3,
                 .out = out,
                 .plain = true});
        }
      }
    }
  }
  EXPECT_GT(taken, 0);
}

TEST_P(ConvTest, Groups) {
  // In place, so that a vector stored over the next group's channels spoils their residual.
  const int lanes = vector_lanes();
  for (const int groups : {2, 3}) {
    for (const int out : {1, 3, lanes, lanes + 1, 2 * lanes, 2 * lanes + 3}) {
      check({.batch = 2,
             .window = window(5, 6, 3, 1, 1, 1),
             .groups = groups,
             .full_inputs = {3},
             .inputs = {3},
             .full_out = out,
             .out = out,
             .residual = true,
             .in_place = true});
    }
  }
}

TEST_P(ConvTest, Epilogues) {
  for (const ConvCase& c : epilogue_cases(window(5, 7, 3, 2, 1, 1))) check(c);
  for (const ConvCase& c : epilogue_cases(window(5, 7, 1, 1, 0, 0))) check(c);
  for (const ConvCase& c : epilogue_cases(window(6, 7, 4, 1, 1, 1))) check(c);
}

/// A group ends within a vector, which must not be applied to the next group's channels.
TEST_P(ConvTest, FunctionsOfGroups) {
  for (const auto function : {PointwiseFunction::Kind::silu, PointwiseFunction::Kind::prelu}) {
    for (const int out : {3, vector_lanes() + 1, 2 * vector_lanes() + 3}) {
      check({.batch = 2,
             .window = window(5, 6, 3, 1, 1, 1),
             .groups = 3,
             .full_inputs = {3},
             .inputs = {3},
             .full_out = out,
             .out = out,
             .residual = true,
             .in_place = true,
             .function = function});
    }
  }
}

TEST_P(ConvTest, LinearLayersLongerThanOneRun) {
  for (const int batch : {1, 2, 3}) {
    check({.batch = batch, .window = {}, .full_inputs = {2500}, .inputs = {2100}, .full_out = 70, .out = 67});
  }
}

TEST_P(ConvTest, ManyBlocksOfPixels) {
  check(whole(3, window(61, 67, 3, 1, 1, 1), 4, 3));
}

}  // namespace
}  // namespace concertina::kernels
