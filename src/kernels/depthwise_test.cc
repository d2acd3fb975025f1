#include "kernels/depthwise.h"

#include "kernels/testing/kernel_test.h"

namespace concertina::kernels {
namespace {

class DepthwiseTest : public KernelTest {
 protected:
  void check(int batch, const WindowArgs& w, int full, int channels, FusedActivation act,
             PointwiseFunction::Kind function = PointwiseFunction::Kind::none) {
    const auto size = [&](int pixels) { return static_cast<std::size_t>(batch) * channels * pixels; };
    const Floats weights = random_floats(static_cast<std::size_t>(full) * w.taps(), 1);
    reference::Conv ref{.batch = batch,
                        .groups = channels,
                        .window = w,
                        .x = random_floats(size(w.in_h * w.in_w), 2),
                        .w = Floats(weights.begin(), weights.begin() + channels * w.taps()),
                        .scale = random_floats(static_cast<std::size_t>(channels), 3),
                        .shift = random_floats(static_cast<std::size_t>(channels), 4),
                        .residual = random_floats(size(w.out_h * w.out_w), 5),
                        .act = act,
                        .function = {.kind = function}};
    const Floats slope = random_floats(static_cast<std::size_t>(channels), 6);
    ref.function.slope = slope.data();
    const Floats y = run(ref, weights, full, 1);
    const Floats wanted = reference::conv(ref);
    ASSERT_EQ(y, run(ref, weights, full, 3));
    for (Floats* values : {&ref.x, &ref.w, &ref.scale, &ref.shift, &ref.residual})
      *values = magnitudes(*values);
    ref.act = FusedActivation::none;
    ref.function = {};
    errors_.add(y, wanted, reference::conv(ref));
  }

  static Floats run(const reference::Conv& ref, const Floats& weights, int full, int threads) {
    const WindowArgs& w = ref.window;
    AlignedBuffer packed = poisoned(packed_size_depthwise(full, w.taps()));
    pack_depthwise(full, w.taps(), weights.data(), packed.data());
    Map x(ref.batch, w.in_h * w.in_w, {ref.groups});
    Map y(ref.batch, w.out_h * w.out_w, {ref.groups}, 0);
    Map residual(ref.batch, w.out_h * w.out_w, {ref.groups}, 2);
    x.fill(ref.x);
    residual.fill(ref.residual);
    const AlignedBuffer scale = per_channel(ref.scale);
    const AlignedBuffer shift = per_channel(ref.shift);
    const AlignedBuffer slope = per_channel(Floats(ref.function.slope, ref.function.slope + ref.groups));
    ThreadPool pool(threads);
    depthwise({.packed = packed.data(),
               .full_channels = full,
               .channels = ref.groups,
               .batch = ref.batch,
               .window = w,
               .input = x.buffer.data(),
               .input_stride = x.stride,
               .output = y.buffer.data(),
               .output_stride = y.stride,
               .epilogue = {.scale = scale.data(),
                            .shift = shift.data(),
                            .residual = residual.buffer.data(),
                            .residual_stride = residual.stride,
                            .act = ref.act,
                            .function = fused({.kind = ref.function.kind, .slope = slope.data()})}},
              pool);
    return y.plain();
  }

  void TearDown() override {
    errors_.expect_below(4e-7);
    KernelTest::TearDown();
  }

  ErrorStatistics errors_;
};
INSTANTIATE_TEST_SUITE_P(Targets, DepthwiseTest, all_targets(), name_of);

TEST_P(DepthwiseTest, Functions) {
  using Kind = PointwiseFunction::Kind;
  for (const Kind kind : {Kind::silu, Kind::prelu, Kind::hard_swish}) {
    for (const int channels : {1, vector_lanes() + 1, 3 * vector_lanes()}) {
      check(2, window(9, 11, 3, 1, 1, 1), 4 * vector_lanes(), channels, FusedActivation::none, kind);
      check(2, window(9, 11, 4, 1, 2, 1), 4 * vector_lanes(), channels, FusedActivation::none, kind);
    }
  }
}

TEST_P(DepthwiseTest, AnyNumberOfChannels) {
  const int most = 2 * vector_lanes() + 1;
  for (int channels = 1; channels <= most; ++channels) {
    check(2, window(5, 7, 3, 1, 1, 1), most, channels, FusedActivation::relu6);
  }
  check(1, window(2, 3, 3, 1, 1, 1), 2500, 2100, FusedActivation::none);  // more than one run of channels
}

TEST_P(DepthwiseTest, AnyWindow) {
  for (const int kernel : {1, 3, 5, 7, 11}) {
    for (const int stride : {1, 2}) {
      for (const int begin : {0, kernel / 2}) {
        for (const auto& [h, w] : {std::pair{1, 1}, {1, 9}, {5, 7}, {12, 13}}) {
          check(3, window(h, w, kernel, stride, begin, kernel - 1), 3, 2, FusedActivation::relu);
        }
      }
    }
  }
}

}  // namespace
}  // namespace concertina::kernels
