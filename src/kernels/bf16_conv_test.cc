#include "kernels/bf16_conv.h"

#include <bit>

#include "kernels/bf16_unit.h"
#include "kernels/testing/conv_problem.h"

namespace concertina::kernels {
namespace {

float rounded(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return std::bit_cast<float>((bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000U);
}

Floats rounded(Floats values) {
  for (float& v : values) v = rounded(v);
  return values;
}

class Bf16ConvTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { ASSERT_TRUE(limit_bf16_unit(GetParam())); }

  // Of what is rounded first, the products are exact and only the sums differ.
  void TearDown() override {
    errors_.expect_below(2e-6);
    ASSERT_TRUE(limit_bf16_unit(""));
  }

  void check(const ConvCase& c) {
    const ConvProblem problem(c);
    const Floats y = problem.run(1, ConvKernel::bf16);
    reference::Conv exact = problem.ref;
    exact.x = rounded(exact.x);
    exact.w = rounded(exact.w);
    errors_.add(y, reference::conv(exact), problem.magnitude());
    ASSERT_EQ(y, problem.run(3, ConvKernel::bf16)) << "three threads give other bits";
  }

  ErrorStatistics errors_;
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Bf16ConvTest);
INSTANTIATE_TEST_SUITE_P(Units, Bf16ConvTest, ::testing::ValuesIn(bf16_units()),
                         [](const auto& param) { return param.param == "AMX" ? "Amx" : "Avx512"; });

// Of few and of many channels, whose taps are multiplied together and apart.
TEST_P(Bf16ConvTest, AnyWindow) {
  for (const int full : {5, 20}) {
    for (const int kernel : {1, 2, 3, 5}) {
      for (const int stride : {1, 2, 3}) {
        for (const int dilation : {1, 2}) {
          for (const int size : {1, 2, 7, 12, 17}) {
            for (const int pad : {0, 1, 3}) {
              if (size + 2 * pad < (kernel - 1) * dilation + 1) continue;
              check({.batch = 2,
                     .window = window(size, size + 3, kernel, stride, pad, pad, dilation),
                     .full_inputs = {full},
                     .inputs = {full - 1},
                     .full_out = 20,
                     .out = 18});
            }
          }
        }
      }
    }
  }
}

TEST_P(Bf16ConvTest, SubnetsArePrefixes) {
  for (const ConvCase& c : prefix_cases(window(9, 6, 3, 1, 1, 1))) check(c);
  for (const int in : {31, 32, 33, 63, 64, 65}) {
    check(
        {.window = window(7, 7, 3, 1, 1, 1), .full_inputs = {70}, .inputs = {in}, .full_out = 90, .out = 50});
  }
}

TEST_P(Bf16ConvTest, ReadsSegmentsThatBeginAtOddChannels) {
  for (const ConvCase& c : segment_cases(window(5, 4, 3, 1, 1, 1))) check(c);
  check({.batch = 2,
         .window = window(5, 4, 3, 1, 1, 1),
         .full_inputs = {7, 4, 3},
         .inputs = {5, 4, 1},
         .full_out = 33,
         .out = 33});
  for (const int first : {1, 2, 31, 32, 33}) {
    check({.batch = 2,
           .window = window(5, 4, 3, 1, 1, 1),
           .full_inputs = {first, 33, 64, 1},
           .inputs = {first, 32, 63, 1},
           .full_out = 33,
           .out = 33});
  }
}

TEST_P(Bf16ConvTest, ReadsDenseImages) {
  for (const ConvCase& c : {ConvCase{.batch = 2,
                           .window = window(15, 13, 7, 2, 3, 3),
                           .full_inputs = {3},
                           .inputs = {3},
                           .full_out = 16,
                           .out = 16,
                           .dense = true}}) {
    check(c);
  }
}

TEST_P(Bf16ConvTest, Epilogues) {
  for (const ConvCase& c : epilogue_cases(window(6, 7, 3, 1, 1, 1))) check(c);
}

TEST_P(Bf16ConvTest, LinearLayersOfManyImages) {
  for (const int batch : {1, 2, 5, 16, 17, 40, 700}) {
    check({.batch = batch, .window = {}, .full_inputs = {80}, .inputs = {70}, .full_out = 40, .out = 35});
  }
}

TEST_P(Bf16ConvTest, OneWideRow) {
  check(
      {.window = window(1, 300, 1, 1, 0, 0), .full_inputs = {40}, .inputs = {33}, .full_out = 70, .out = 70});
}

TEST_P(Bf16ConvTest, LinearLayersTooLargeForAChunk) {
  check({.batch = 40, .window = {}, .full_inputs = {9000}, .inputs = {8999}, .full_out = 5, .out = 5});
}

TEST_P(Bf16ConvTest, ManyChunks) {
  check({.batch = 2,
         .window = window(70, 61, 3, 1, 1, 1),
         .full_inputs = {70},
         .inputs = {66},
         .full_out = 3,
         .out = 3});
  check({.batch = 1,
         .window = window(70, 61, 3, 2, 1, 1),
         .full_inputs = {70},
         .inputs = {66},
         .full_out = 3,
         .out = 3});
  check(whole(9, window(20, 20, 3, 1, 1, 1), 64, 3));
}

TEST(Bf16Conv, RoundsWeightsToTheNearest) {
  const Filter filter{.out_channels = 1, .in_channels = 6, .taps = 1};
  const auto bits = [](std::uint32_t b) { return std::bit_cast<float>(b); };
  const float weights[] = {1.0F,
                           bits(0x3f808000),  // half way: to even
                           bits(0x3f818000),
                           bits(0xbf808001),
                           std::numeric_limits<float>::max(),  // stays finite
                           -0.0F};
  AlignedBuffer packed = poisoned(packed_size_bf16(filter, {}));
  pack_bf16(filter, {}, weights, packed.data());
  const auto pair = [&](int row) { return std::bit_cast<std::uint32_t>(packed.data()[row * 16]); };
  EXPECT_EQ(pair(0), 0x3f803f80U);
  EXPECT_EQ(pair(1), 0xbf813f82U);
  EXPECT_EQ(pair(2), 0x80007f7fU);
  EXPECT_EQ(pair(3), 0U);
}

TEST(Bf16Conv, HasTheUnitsThatItNames) {
  EXPECT_FALSE(limit_bf16_unit("abacus"));
  for (const std::string& unit : bf16_units()) {
    ASSERT_TRUE(limit_bf16_unit(unit));
    EXPECT_EQ(best_bf16_unit()->name, unit);
  }
  ASSERT_TRUE(limit_bf16_unit(""));
  EXPECT_EQ(best_bf16_unit() == nullptr, bf16_units().empty());
}

TEST(Bf16Conv, NeedsVectorsOf512Bits) {
  for (const std::string& target : target_names()) {
    ASSERT_TRUE(limit_target(target));
    EXPECT_TRUE(vector_lanes() == 16 || bf16_units().empty()) << target;
  }
  ASSERT_TRUE(limit_target(""));
}

}  // namespace
}  // namespace concertina::kernels
