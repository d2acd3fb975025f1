#include "kernels/elementwise.h"

#include "kernels/testing.h"

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
  for_shapes([&](int channels, int pixels) {
    const Floats in = values(channels, pixels, 1);
    Map x(kBatch, pixels, {channels});
    Map y(kBatch, pixels, {channels}, 0);
    x.fill(in);
    softmax({.pixels = kBatch * pixels,
             .channels = channels,
             .input = x.buffer.data(),
             .input_stride = x.stride,
             .output = y.buffer.data(),
             .output_stride = y.stride},
            pool_);
    const Floats wanted = reference::softmax(in, kBatch, channels, pixels);
    errors_.add(y.plain(), wanted, wanted);
  });
  errors_.expect_below(
      4e-6);  // relative to each probability: x - max is rounded at up to 16, and 1000 terms are summed
}

}  // namespace
}  // namespace concertina::kernels
