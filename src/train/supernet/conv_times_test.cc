#include "train/supernet/conv_times.h"

#include <gtest/gtest.h>

namespace concertina::train {
namespace {

/// A clock by which everything takes a millisecond.
class CountingClock final : public Clock {
 public:
  Time now() const override { return from_ms(++calls); }

  mutable int calls = 0;
};

TEST(ConvTimes, LibTorchMustBeClearlyFasterOverBothWidths) {
  EXPECT_TRUE(libtorch_is_faster({{10, 9}, {4, 3.6}}));
  EXPECT_FALSE(libtorch_is_faster({{10, 9.6}, {4, 3.9}}));  // a repeated measurement may find the contrary
  EXPECT_FALSE(libtorch_is_faster({{10, 10}, {4, 4}}));
  EXPECT_FALSE(libtorch_is_faster({{10, 9}, {4, 5}}));  // what is gained at full width is lost again
  EXPECT_TRUE(libtorch_is_faster({{10, 11}, {4, 2}}));
}

op::Conv conv_like(int in, int out, int groups, bool bias) {
  op::Conv conv;
  conv.in_channels = in;
  conv.out_channels = out;
  conv.groups = groups;
  conv.bias = bias;
  conv.window = Window::square(3, 2, 1);
  return conv;
}

TEST(ConvTimes, EveryKindCanBeMeasured) {
  constexpr int kTimesOfARound = 8;  // both widths of both, begin and end
  const ConvKind kinds[] = {
      {.conv = conv_like(3, 16, 1, false), .input = {3, 9, 8}, .normalized = true, .first = true},
      {.conv = conv_like(1, 1, 1, true), .input = {1, 9, 8}},
      {.conv = conv_like(19, 19, 19, false), .input = {19, 9, 8}, .normalized = true},
      {.conv = conv_like(16, 32, 2, true), .input = {16, 9, 8}}};
  for (const ConvKind& kind : kinds) {
    for (const torch::Dtype dtype : {torch::kFloat, torch::kBFloat16}) {
      const CountingClock hasty, patient;
      const KindTimes times = measure_kind(kind, {.dtype = dtype, .images = 2, .most_ms = 0}, hasty);
      EXPECT_EQ(times.full.own_ms, 1) << name_of(kind);
      EXPECT_EQ(times.half.libtorch_ms, 1) << name_of(kind);
      EXPECT_EQ(hasty.calls / kTimesOfARound, 1 + 3);
      measure_kind(kind, {.dtype = dtype, .images = 2, .most_ms = 1e9}, patient);
      EXPECT_EQ(patient.calls / kTimesOfARound, 1 + 9);
    }
  }
}

}  // namespace
}  // namespace concertina::train
