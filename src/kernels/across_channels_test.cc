#include "kernels/across_channels.h"

#include "kernels/testing/kernel_test.h"

namespace concertina::kernels {
namespace {

class AcrossChannels : public ::testing::Test {
 protected:
  static constexpr int kBatch = 2, kPixels = 5;

  /// body(channels, values) for a few counts.
  template <typename Body>
  static void for_channels(const Body& body) {
    for (const int channels : {1, 2, 7, 16, 33}) {
      Floats values = random_floats(static_cast<std::size_t>(kBatch * channels * kPixels), 1);
      for (float& v : values) v = 4 * v - 5;  // all below 0 now and then
      body(channels, values);
    }
  }

  ThreadPool pool_{3};
  ErrorStatistics errors_;
};

TEST_F(AcrossChannels, MeanLargestAndSum) {
  for_channels([&](int channels, const Floats& in) {
    for (const auto reduction : {ChannelReduction::mean, ChannelReduction::largest, ChannelReduction::sum}) {
      Map x(kBatch, kPixels, {channels}), y(kBatch, kPixels, {1}, 0);
      x.fill(in);
      reduce_channels({.pixels = kBatch * kPixels,
                       .channels = channels,
                       .reduction = reduction,
                       .input = x.buffer.data(),
                       .input_stride = x.stride,
                       .output = y.buffer.data(),
                       .output_stride = y.stride},
                      pool_);
      const Floats wanted = reference::reduce_channels(in, {kBatch, channels, kPixels}, reduction);
      errors_.add(y.plain(), wanted, Floats(wanted.size(), 9.0F));
    }
  });
  errors_.expect_below(1e-7);
}

TEST_F(AcrossChannels, LocalResponse) {
  for_channels([&](int channels, const Floats& in) {
    for (const int size : {1, 2, 5}) {
      Map x(kBatch, kPixels, {channels}), y(kBatch, kPixels, {channels}, 0);
      x.fill(in);
      local_response_norm({.pixels = kBatch * kPixels,
                           .channels = channels,
                           .size = size,
                           .alpha = 0.3F,
                           .beta = 0.75F,
                           .bias = 2,
                           .input = x.buffer.data(),
                           .input_stride = x.stride,
                           .output = y.buffer.data(),
                           .output_stride = y.stride},
                          pool_);
      const Floats wanted =
          reference::local_response_norm(in, {kBatch, channels, kPixels}, size, 0.3F, 0.75F, 2);
      errors_.add(y.plain(), wanted, Floats(wanted.size(), 5.0F));
    }
  });
  errors_.expect_below(4e-7);
}

}  // namespace
}  // namespace concertina::kernels
