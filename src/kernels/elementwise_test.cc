#include "kernels/elementwise.h"

#include "kernels/testing/kernel_test.h"

namespace concertina::kernels {
namespace {

constexpr FusedActivation kActivations[] = {FusedActivation::none, FusedActivation::relu,
                                            FusedActivation::relu6};

class ElementwiseTest : public KernelTest {
 protected:
  static constexpr int kBatch = 2;

  /// body(channels, pixels) around the lane counts, and once with more work than one block of pixels.
  template <typename Body>
  static void for_shapes(const Body& body) {
    for (int channels = 1; channels <= 2 * vector_lanes() + 1; ++channels) body(channels, 5);
    body(1000, 9);
  }

  static Floats values(int channels, int pixels, std::uint64_t seed) {
    Floats result = random_floats(static_cast<std::size_t>(kBatch) * channels * pixels, seed);
    for (float& v : result) v *= 8;
    return result;
  }

  ErrorStatistics errors_;
  ThreadPool pool_{3};
};
INSTANTIATE_TEST_SUITE_P(Targets, ElementwiseTest, all_targets(), name_of);

/// Every way in which the second operand may be smaller, with and without an activation.
TEST_P(ElementwiseTest, Combine) {
  for_shapes([&](int channels, int pixels) {
    const Floats a = values(channels, pixels, 1);
    for (const int b_channels : {channels, 1}) {
      for (const int b_pixels : {pixels, 1}) {
        const Floats b = values(b_channels, b_pixels, 2);
        for (const Arithmetic arithmetic : {Arithmetic::add, Arithmetic::multiply}) {
          for (const FusedActivation act : kActivations) {
            Map x(kBatch, pixels, {channels});
            Map y(kBatch, b_pixels, {b_channels}, 0);
            x.fill(a);
            y.fill(b);
            combine({.arithmetic = arithmetic,
                     .batch = kBatch,
                     .pixels = pixels,
                     .channels = channels,
                     .a = x.buffer.data(),
                     .a_stride = x.stride,
                     .b = y.buffer.data(),
                     .b_image_stride = std::ptrdiff_t{b_pixels} * y.stride,
                     .b_stride = b_pixels == pixels ? y.stride : 0,
                     .b_is_spread = b_channels < channels,
                     .output = x.buffer.data(),
                     .output_stride = x.stride,
                     .act = act},
                    pool_);
            EXPECT_EQ(x.plain(), reference::combine(arithmetic, {kBatch, channels, pixels}, a,
                                                    {kBatch, b_channels, b_pixels}, b, act));
          }
        }
      }
    }
  });
}

TEST_P(ElementwiseTest, CombineIntoTheSecond) {
  for_shapes([&](int channels, int pixels) {
    const Floats a = values(channels, pixels, 1);
    const Floats b = values(channels, pixels, 2);
    Map x(kBatch, pixels, {channels});
    Map y(kBatch, pixels, {channels}, 0);
    x.fill(a);
    y.fill(b);
    combine({.batch = kBatch,
             .pixels = pixels,
             .channels = channels,
             .a = x.buffer.data(),
             .a_stride = x.stride,
             .b = y.buffer.data(),
             .b_image_stride = std::ptrdiff_t{pixels} * y.stride,
             .b_stride = y.stride,
             .output = y.buffer.data(),
             .output_stride = y.stride},
            pool_);
    const reference::Planes planes{kBatch, channels, pixels};
    EXPECT_EQ(y.plain(), reference::combine(Arithmetic::add, planes, a, planes, b, FusedActivation::none));
  });
}

TEST_P(ElementwiseTest, Affine) {
  for_shapes([&](int channels, int pixels) {
    for (const FusedActivation act : kActivations) {
      const Floats in = values(channels, pixels, 1);
      const Floats scale = random_floats(static_cast<std::size_t>(channels), 2);
      const Floats shift = random_floats(static_cast<std::size_t>(channels), 3);
      const AlignedBuffer padded_scale = per_channel(scale);
      const AlignedBuffer padded_shift = per_channel(shift);
      Map x(kBatch, pixels, {channels});
      Map y(kBatch, pixels, {channels}, 0);
      x.fill(in);
      affine({.pixels = kBatch * pixels,
              .channels = channels,
              .input = x.buffer.data(),
              .input_stride = x.stride,
              .scale = padded_scale.data(),
              .shift = padded_shift.data(),
              .output = y.buffer.data(),
              .output_stride = y.stride,
              .act = act},
             pool_);
      errors_.add(y.plain(), reference::affine(in, kBatch, channels, pixels, scale, shift, act),
                  reference::affine(magnitudes(in), kBatch, channels, pixels, magnitudes(scale),
                                    magnitudes(shift), FusedActivation::none));
    }
  });
  errors_.expect_below(1.3e-7);  // two roundings, each of at most 2^-24
}

TEST_P(ElementwiseTest, ActivationAlone) {
  for_shapes([&](int channels, int pixels) {
    const Floats in = values(channels, pixels, 1);
    Map x(kBatch, pixels, {channels});
    x.fill(in);
    affine({.pixels = kBatch * pixels,
            .channels = channels,
            .input = x.buffer.data(),
            .input_stride = x.stride,
            .output = x.buffer.data(),
            .output_stride = x.stride,
            .act = FusedActivation::relu6},
           pool_);
    Floats wanted = in;
    for (float& v : wanted) v = reference::activate(FusedActivation::relu6, v);
    EXPECT_EQ(x.plain(), wanted);
  });
}

TEST_P(ElementwiseTest, Softmax) {
  ErrorStatistics logarithms;
  for_shapes([&](int channels, int pixels) {
    const Floats in = values(channels, pixels, 1);
    for (const bool logarithm : {false, true}) {
      Map x(kBatch, pixels, {channels});
      Map y(kBatch, pixels, {channels}, 0);
      x.fill(in);
      softmax({.pixels = kBatch * pixels,
               .channels = channels,
               .logarithm = logarithm,
               .input = x.buffer.data(),
               .input_stride = x.stride,
               .output = y.buffer.data(),
               .output_stride = y.stride},
              pool_);
      const Floats wanted = reference::softmax(in, kBatch, channels, pixels, logarithm);
      const Floats sixteens(wanted.size(), 16.0F);
      (logarithm ? logarithms : errors_).add(y.plain(), wanted, logarithm ? sixteens : wanted);
    }
  });
  errors_.expect_below(
      4e-6);  // relative to each probability: x - max is rounded at up to 16, and 1000 terms are summed
  logarithms.expect_below(3e-7);
}

using Kind = PointwiseFunction::Kind;

constexpr PointwiseFunction kFunctions[] = {{Kind::clip, -0.5F, 2.25F},
                                            {Kind::leaky_relu, 0.1F},
                                            {Kind::hard_sigmoid, 0.2F, 0.5F},
                                            {Kind::hard_swish},
                                            {Kind::sigmoid},
                                            {Kind::silu},
                                            {Kind::tanh},
                                            {Kind::elu, 0.7F},
                                            {Kind::selu, 1.67326319F, 1.05070102F},
                                            {Kind::softplus},
                                            {Kind::mish},
                                            {Kind::erf},
                                            {Kind::gelu},
                                            {Kind::gelu_tanh}};

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

/// Relative to each result, from -limit to limit.
TEST_P(ActivateTest, SmallResultsAreAccurateToo) {
  const struct {
    PointwiseFunction function;
    int limit;
    double bound;
  } cases[] = {{{Kind::sigmoid}, 87, 4e-7},   {{Kind::silu}, 80, 4e-7},     {{Kind::tanh}, 20, 5e-7},
               {{Kind::elu, 0.7F}, 87, 4e-7}, {{Kind::softplus}, 80, 4e-7}, {{Kind::mish}, 80, 5e-7},
               {{Kind::erf}, 9, 5e-7},        {{Kind::gelu_tanh}, 4, 3e-6}};
  for (const auto& [function, limit, bound] : cases) {
    SCOPED_TRACE(testing::Message() << "function " << static_cast<int>(function.kind));
    ErrorStatistics errors;
    Floats values;
    for (int i = -870; i <= 870; ++i) values.push_back(static_cast<float>(i * limit) / 870);
    values.push_back(1e-6F);
    Floats wanted;
    for (const float v : values) wanted.push_back(reference::apply(function, v));
    errors.add(run(function, values, 13, static_cast<int>(values.size()) / 26, false), wanted,
               magnitudes(wanted));
    errors.expect_below(bound);
  }
}

TEST_P(ActivateTest, HugeValuesStayFinite) {
  for (const PointwiseFunction& function : kFunctions) {
    const Floats values = {1e18F, -1e18F, 100, -100};
    const Floats got = run(function, values, 1, 2, false);
    for (std::size_t i = 0; i < values.size(); ++i) {
      EXPECT_NEAR(got[i], reference::apply(function, values[i]), 4e-7 * std::abs(values[i]))
          << "function " << static_cast<int>(function.kind);
    }
  }
}

TEST_P(ActivateTest, RootsAndReciprocalsAreRoundedOnce) {
  const Floats values = {0, 1e-38F, 1e-12F, 0.3F, 2, 7, 1e30F, 3};
  for (const Kind kind : {Kind::sqrt, Kind::reciprocal}) {
    Floats wanted;
    for (const float v : values) wanted.push_back(reference::apply({kind}, v));
    EXPECT_EQ(run({kind}, values, 1, 4, false), wanted);
  }
  EXPECT_TRUE(std::isnan(run({Kind::sqrt}, {-1, -1}, 1, 1, false)[0]));
}

TEST_P(ElementwiseTest, PRelu) {
  for_shapes([&](int channels, int pixels) {
    const Floats in = values(channels, pixels, 1);
    const Floats slope = random_floats(static_cast<std::size_t>(channels), 2);
    const AlignedBuffer padded_slope = per_channel(slope);
    Map x(kBatch, pixels, {channels});
    Map y(kBatch, pixels, {channels}, 0);
    x.fill(in);
    activate({.pixels = kBatch * pixels,
              .channels = channels,
              .input = x.buffer.data(),
              .input_stride = x.stride,
              .output = y.buffer.data(),
              .output_stride = y.stride,
              .function = {.kind = Kind::prelu, .slope = padded_slope.data()}},
             pool_);
    EXPECT_EQ(y.plain(), reference::prelu(in, kBatch, channels, pixels, slope));
  });
}

}  // namespace
}  // namespace concertina::kernels
