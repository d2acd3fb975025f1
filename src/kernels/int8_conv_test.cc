#include "kernels/int8_conv.h"

#include <array>
#include <cmath>

#include "kernels/int8_unit.h"
#include "kernels/testing/conv_problem.h"

namespace concertina::kernels {
namespace {

/// Inputs as they are quantised.
Floats quantized(Floats values, const Int8Input& input) {
  const auto zero = static_cast<float>(input.zero_point);
  for (float& v : values) {
    const float whole = std::nearbyint(v * (1 / input.scale)) + zero;
    v = input.scale * (std::clamp(whole, 0.0F, static_cast<float>(input.most)) - zero);
  }
  return values;
}

/// Weights as they are quantised: each row with a scale of its own, that of the full row.
Floats quantized_rows(const ConvCase& c, Floats full) {
  const auto size = static_cast<std::size_t>(sum(c.full_inputs) * c.window.taps());
  for (std::size_t begin = 0; begin < full.size(); begin += size) {
    float most = 0;
    for (std::size_t i = begin; i < begin + size; ++i) most = std::max(most, std::abs(full[i]));
    const float scale = most / 127;
    for (std::size_t i = begin; i < begin + size; ++i) full[i] = scale * std::nearbyint(full[i] / scale);
  }
  return full;
}

/// The sums are exact, so only the epilogue rounds, and every unit gives the same bits as plain of the same
/// inputs.
void check(const ConvCase& c, bool on_every_unit, ErrorStatistics& errors) {
  ConvProblem problem(c);
  const Floats y = problem.run(1, ConvKernel::int8);
  reference::Conv exact = problem.ref;
  exact.x = quantized(exact.x, problem.int8_input());
  exact.w = cut(c, quantized_rows(c, problem.full_weights));
  errors.add(y, reference::conv(exact), problem.magnitude());
  ASSERT_EQ(y, problem.run(3, ConvKernel::int8)) << "three threads give other bits";
  if (!on_every_unit) return;
  for (const std::string& unit : int8_units()) {
    ASSERT_TRUE(limit_int8_unit(unit));
    problem.input_of = best_int8_unit();
    const Floats by_unit = problem.run(1, ConvKernel::int8);
    ASSERT_TRUE(limit_int8_unit("plain"));
    ASSERT_EQ(by_unit, problem.run(1, ConvKernel::int8)) << unit << " gives other bits";
    ASSERT_TRUE(limit_int8_unit(""));
  }
}

/// Found before a test limits the targets. Other targets change nothing in a unit.
const std::string kBestTarget = target_names().front();

class Int8ConvTest : public KernelTest {
 protected:
  void TearDown() override {
    errors_.expect_below(2e-6);
    KernelTest::TearDown();
  }

  void check(ConvCase c) {
    c.zero_point = checked_++ % 2 == 0 ? 128 : 0;
    kernels::check(c, GetParam() == kBestTarget, errors_);
  }

  ErrorStatistics errors_;
  int checked_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Targets, Int8ConvTest, all_targets(), name_of);

TEST_P(Int8ConvTest, AnyWindow) {
  for (const int kernel : {1, 2, 3, 5}) {
    for (const int stride : {1, 2, 3}) {
      for (const int dilation : {1, 2}) {
        for (const int size : {1, 7, 12}) {
          for (const int pad : {0, 1, 3}) {
            if (size + 2 * pad < (kernel - 1) * dilation + 1) continue;
            check({.batch = 2,
                   .window = window(size, size + 3, kernel, stride, pad, pad, dilation),
                   .full_inputs = {5},
                   .inputs = {4},
                   .full_out = 20,
                   .out = 18});
          }
        }
      }
    }
  }
}

TEST_P(Int8ConvTest, SubnetsArePrefixes) {
  for (const ConvCase& c : prefix_cases(window(9, 6, 3, 1, 1, 1))) check(c);
  for (const int in : {31, 32, 33, 63, 64, 65}) {
    check(
        {.window = window(7, 7, 3, 1, 1, 1), .full_inputs = {70}, .inputs = {in}, .full_out = 90, .out = 50});
  }
}

TEST_P(Int8ConvTest, ReadsSegmentsThatBeginWithinAQuad) {
  for (const ConvCase& c : segment_cases(window(5, 4, 3, 1, 1, 1))) check(c);
  for (const int first : {1, 2, 3, 4, 5, 33}) {
    for (const int second : {1, 2, 3, 32}) {
      check({.batch = 2,
             .window = window(5, 4, 3, 1, 1, 1),
             .full_inputs = {first, 33, 64, 1},
             .inputs = {first, second, 63, 1},
             .full_out = 33,
             .out = 33});
    }
  }
}

TEST_P(Int8ConvTest, ReadsDenseImages) {
  check({.batch = 2,
         .window = window(15, 13, 7, 2, 3, 3),
         .full_inputs = {3},
         .inputs = {3},
         .full_out = 16,
         .out = 16,
         .dense = true});
}

TEST_P(Int8ConvTest, ReadsRowsWithoutGaps) {
  for (const int channels : {4, 12, 20}) {
    for (const int kernel : {1, 3, 5}) {
      for (const int pad : {0, 1, 3}) {
        for (const int dilation : {1, 2}) {
          WindowArgs w = window(10, 11, kernel, 1, pad, pad, dilation);
          const auto check_it = [&] {
            check({.batch = 2,
                   .window = w,
                   .full_inputs = {channels},
                   .inputs = {channels},
                   .full_out = 20,
                   .out = 18,
                   .dense = true});
          };
          check_it();
          w.stride_h = 2;
          w.out_h = (w.out_h + 1) / 2;
          w.out_w -= 2;  // the last columns are seen by no window
          check_it();
        }
      }
    }
  }
}

TEST_P(Int8ConvTest, Epilogues) {
  for (const ConvCase& c : epilogue_cases(window(6, 7, 3, 1, 1, 1))) check(c);
}

TEST_P(Int8ConvTest, LinearLayersOfManyImages) {
  for (const int batch : {1, 2, 5, 16, 17, 40, 700}) {
    check({.batch = batch, .window = {}, .full_inputs = {80}, .inputs = {70}, .full_out = 40, .out = 35});
  }
}

TEST_P(Int8ConvTest, ManyChunks) {
  check({.batch = 2,
         .window = window(70, 61, 3, 1, 1, 1),
         .full_inputs = {70},
         .inputs = {66},
         .full_out = 3,
         .out = 3});
  check({.window = window(70, 61, 3, 2, 1, 1), .full_inputs = {70}, .inputs = {66}, .full_out = 3, .out = 3});
  check(whole(9, window(20, 20, 3, 1, 1, 1), 64, 3));
  check({.batch = 40, .window = {}, .full_inputs = {9000}, .inputs = {8999}, .full_out = 5, .out = 5});
}

/// One output of inputs that all have the weight 1, by the best unit.
float sum_of(const Floats& x, float scale, int zero_point, int most) {
  const int count = static_cast<int>(x.size());
  const Filter filter{.in_channels = count};
  AlignedBuffer packed(packed_size_int8(filter)), one(64), zero(64), input(x.size() + 16), output(64);
  const Floats weights(x.size(), 1.0F);
  pack_int8(filter, weights.data(), packed.data());
  std::copy(x.begin(), x.end(), input.data());
  one.data()[0] = 1;
  std::array<std::int32_t, 32> starts{};
  const ChannelRange range{.count = count};
  int8_starts(filter, packed.data(), {&range, 1}, 1, zero_point, starts.data());
  AlignedBuffer workspace(workspace_int8({}, {&range, 1}));
  ThreadPool pool(1);
  ConvArgs args;
  args.filter = filter;
  args.packed = packed.data();
  args.input = input.data();
  args.input_stride = count + 16;
  args.inputs = {&range, 1};
  args.out_channels = 1;
  args.output = output.data();
  args.output_stride = 16;
  args.epilogue.scale = one.data();
  args.epilogue.shift = zero.data();
  args.int8 = {.unit = best_int8_unit(),
               .most = most,
               .scale = scale,
               .zero_point = zero_point,
               .starts = starts.data()};
  int8_conv(args, workspace.data(), pool);
  return output.data()[0];
}

/// A single product fits 16 bits on every unit.
float through(float x, int zero_point) {
  return sum_of({x}, 0.5F, zero_point, 255);
}

TEST(Int8Conv, RoundsToTheNearestAndLimits) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_FLOAT_EQ(through(0.6F, 0), 0.5F);
  EXPECT_FLOAT_EQ(through(0.25F, 0), 0.0F);  // half way: to even
  EXPECT_FLOAT_EQ(through(0.75F, 0), 1.0F);
  EXPECT_FLOAT_EQ(through(0.75F, 3), 1.0F);  // of x / scale, not of the sum with the zero point
  EXPECT_FLOAT_EQ(through(1000.0F, 0), 127.5F);
  EXPECT_FLOAT_EQ(through(kInfinity, 128), 63.5F);
  EXPECT_FLOAT_EQ(through(-1.0F, 0), 0.0F);
  EXPECT_FLOAT_EQ(through(-kInfinity, 128), -64.0F);
  EXPECT_FLOAT_EQ(through(std::numeric_limits<float>::quiet_NaN(), 128), -64.0F);
}

TEST(Int8Conv, FewerBitsHoldTheSameRange) {
  const Int8Unit narrow{.name = "narrow", .pixels = 1, .most_input = 127, .products = nullptr};
  for (const int zero_point : {0, 128, 255}) {
    const Int8Input input = int8_input(narrow, 0.5F, zero_point);
    EXPECT_EQ(input.most, 127);
    const auto zero = static_cast<float>(input.zero_point), all = static_cast<float>(zero_point);
    EXPECT_NEAR(-zero * input.scale, -all * 0.5F, input.scale / 2);
    EXPECT_NEAR((127 - zero) * input.scale, (255 - all) * 0.5F, input.scale / 2);
  }
  EXPECT_EQ(int8_input(narrow, 0.5F, 0).zero_point, 0);
  EXPECT_EQ(int8_input(narrow, 0.5F, 128).zero_point, 64);
}

TEST(Int8Conv, RunsWhereTheSumsFit) {
  EXPECT_TRUE(can_run_int8({.out_channels = 8, .in_channels = 512, .taps = 9}));
  EXPECT_FALSE(can_run_int8({.groups = 2, .out_channels = 8, .in_channels = 8}));
  EXPECT_TRUE(can_run_int8({.out_channels = 1, .in_channels = 66311}));
  EXPECT_FALSE(can_run_int8({.out_channels = 1, .in_channels = 66312}));
}

/// The worst case: no sum overflows.
TEST(Int8Conv, SumsTheLargestProducts) {
  for (const std::string& unit : int8_units()) {
    ASSERT_TRUE(limit_int8_unit(unit));
    const int most = best_int8_unit()->most_input;
    EXPECT_FLOAT_EQ(sum_of(Floats(66311, 255.0F), 1, 0, most), 66311.0F * static_cast<float>(most)) << unit;
  }
  ASSERT_TRUE(limit_int8_unit(""));
}

TEST(Int8Conv, KeepsWeightsThatAreZeroOrAlmost) {
  const Filter filter{.out_channels = 3, .in_channels = 2};
  const float weights[] = {0, 0, 1e-41F, -1e-41F, -2, 1};
  AlignedBuffer packed = poisoned(packed_size_int8(filter));
  pack_int8(filter, weights, packed.data());
  EXPECT_EQ(packed.data()[0], 1.0F);
  EXPECT_EQ(packed.data()[1], 1.0F);
  EXPECT_FLOAT_EQ(packed.data()[2], 2 / 127.0F);
  const auto* rows = reinterpret_cast<const std::int8_t*>(packed.data() + 16);
  EXPECT_EQ(std::vector(rows, rows + 12), std::vector<std::int8_t>({0, 0, 0, 0, 0, 0, 0, 0, -127, 64, 0, 0}));
}

TEST(Int8Conv, HasTheUnitsThatItNames) {
  EXPECT_FALSE(limit_int8_unit("abacus"));
  ASSERT_EQ(int8_units().back(), "plain");
  for (const std::string& unit : int8_units()) {
    ASSERT_TRUE(limit_int8_unit(unit));
    EXPECT_EQ(best_int8_unit()->name, unit);
  }
  ASSERT_TRUE(limit_int8_unit("plain"));
  EXPECT_EQ(int8_units(), std::vector<std::string>{"plain"});
  ASSERT_TRUE(limit_int8_unit(""));
}

}  // namespace
}  // namespace concertina::kernels
