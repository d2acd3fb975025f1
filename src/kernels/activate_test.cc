#include "kernels/activate.h"

#include "kernels/testing.h"

namespace concertina::kernels {
namespace {

using Kind = PointwiseFunction::Kind;

constexpr PointwiseFunction kFunctions[] = {{Kind::clip, -0.5F, 2.25F},
                                            {Kind::leaky_relu, 0.1F},
                                            {Kind::hard_sigmoid, 0.2F, 0.5F},
                                            {Kind::hard_swish},
                                            {Kind::sigmoid}};

class ActivateTest : public KernelTest {
 protected:
  static Floats run(const PointwiseFunction& function, const Floats& values, int channels, int pixels,
                    bool in_place) {
    ThreadPool pool(3);
    Map x(2, pixels, {channels});
    Map y(2, pixels, {channels}, 0);
    x.fill(values);
    Map& to = in_place ? x : y;
    activate({.pixels = 2 * pixels,
              .channels = channels,
              .input = x.buffer.data(),
              .input_stride = x.stride,
              .output = to.buffer.data(),
              .output_stride = to.stride,
              .function = function},
             pool);
    return to.plain();
  }
};
INSTANTIATE_TEST_SUITE_P(Targets, ActivateTest, all_targets(), name_of);

TEST_P(ActivateTest, EveryFunction) {
  ErrorStatistics errors;
  for (const PointwiseFunction& function : kFunctions) {
    for (int channels = 1; channels <= 2 * vector_lanes() + 1; ++channels) {
      Floats values = random_floats(static_cast<std::size_t>(2 * channels * 5), 1);
      for (float& v : values) v *= 12;
      Floats wanted, magnitude;
      for (const float v : values) {
        wanted.push_back(reference::apply(function, v));
        magnitude.push_back(std::max(1.0F, std::abs(v)));
      }
      for (const bool in_place : {false, true}) {
        errors.add(run(function, values, channels, 5, in_place), wanted, magnitude);
      }
    }
  }
  errors.expect_below(2e-7);
}

TEST_P(ActivateTest, SigmoidIsAccurateOverItsWholeRange) {
  ErrorStatistics errors;
  Floats values;
  for (int i = -870; i <= 870; ++i) values.push_back(static_cast<float>(i) / 10);
  values.push_back(0);
  Floats wanted;
  for (const float v : values) wanted.push_back(reference::apply({Kind::sigmoid}, v));
  errors.add(run({Kind::sigmoid}, values, 13, static_cast<int>(values.size()) / 26, false), wanted, wanted);
  errors.expect_below(4e-7);
}

TEST_P(ActivateTest, SigmoidOfHugeValues) {
  const Floats got = run({Kind::sigmoid}, {1e30F, -1e30F, 100, -100}, 1, 2, false);
  EXPECT_EQ(got[0], 1);
  EXPECT_NEAR(got[1], 0, 1e-37);
  EXPECT_EQ(got[2], 1);
  EXPECT_NEAR(got[3], 0, 1e-37);
}

}  // namespace
}  // namespace concertina::kernels
