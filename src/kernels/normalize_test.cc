#include "kernels/normalize.h"

#include "kernels/testing/kernel_test.h"

namespace concertina::kernels {
namespace {

using NormalizeTest = KernelTest;
INSTANTIATE_TEST_SUITE_P(Targets, NormalizeTest, all_targets(), name_of);

/// Around the channels that are summed side by side, in groups of one, several and all.
TEST_P(NormalizeTest, IsAccurateForEveryGroup) {
  const struct {
    int channels, group;
    bool by_pixel;
  } cases[] = {{1, 1, false},   {31, 1, false},  {33, 1, false},   {96, 1, false},   {12, 3, false},
               {70, 35, false}, {66, 33, false}, {40, 40, false},  {100, 100, true}, {3, 3, true},
               {64, 64, true},  {1, 1, true},    {130, 130, true}, {768, 768, true}};
  ThreadPool pool(3);
  ErrorStatistics errors;
  for (const auto& [channels, group, by_pixel] : cases) {
    for (const int pixels : {1, 7, 61}) {
      const auto count = static_cast<std::size_t>(2 * channels * pixels);
      Floats in = random_floats(count, 1);
      for (float& v : in) v = 3 * v + 20;  // a mean that is larger than what varies around it
      const Floats scale = random_floats(static_cast<std::size_t>(channels), 2);
      const Floats shift = random_floats(static_cast<std::size_t>(channels), 3);
      const AlignedBuffer padded_scale = per_channel(scale), padded_shift = per_channel(shift);
      const Floats wanted =
          reference::normalize(in, {2, channels, pixels}, group, by_pixel, 1e-3F, scale, shift);
      for (const bool in_place : {false, true}) {
        Map x(2, pixels, {channels}), y(2, pixels, {channels}, 0);
        x.fill(in);
        Map& to = in_place ? x : y;
        normalize({.batch = 2,
                   .pixels = pixels,
                   .channels = channels,
                   .group = group,
                   .by_pixel = by_pixel,
                   .epsilon = 1e-3F,
                   .input = x.buffer.data(),
                   .input_stride = x.stride,
                   .scale = padded_scale.data(),
                   .shift = padded_shift.data(),
                   .output = to.buffer.data(),
                   .output_stride = to.stride},
                  pool);
        errors.add(to.plain(), wanted, Floats(count, 1.0F));
      }
    }
  }
  errors.expect_below(1e-5);  // values of 20 are rounded at 1e-6, and at most 1 / 0.03 times as much is left
}

}  // namespace
}  // namespace concertina::kernels
