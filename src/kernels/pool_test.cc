#include "kernels/pool.h"

#include "kernels/testing/kernel_test.h"

namespace concertina::kernels {
namespace {

class PoolTest : public KernelTest {
 protected:
  /// Every test map: body(args, batch * channels, x, y), with args ready to run from x to y.
  template <typename Body>
  static void for_cases(int end, const Body& body) {
    for (const int channels : {1, vector_lanes(), 2 * vector_lanes() + 1}) {
      for (const auto& [kernel, dilation] : {std::pair{1, 1}, {2, 1}, {3, 1}, {2, 2}, {3, 2}}) {
        for (const int begin : {0, kernel / 2}) {
          for (const auto& [h, w] : {std::pair{5, 5}, {5, 9}, {6, 7}}) {
            const WindowArgs win = window(h, w, kernel, 2, begin, std::min(end, kernel - 1), dilation);
            Map x(2, h * w, {channels});
            Map y(2, win.out_h * win.out_w, {channels}, 0);
            const Floats values = random_floats(static_cast<std::size_t>(2 * channels * h * w), 1);
            x.fill(values);
            const PoolArgs args{.batch = 2,
                                .channels = channels,
                                .window = win,
                                .input = x.buffer.data(),
                                .input_stride = x.stride,
                                .output = y.buffer.data(),
                                .output_stride = y.stride};
            body(args, 2 * channels, values, y);
          }
        }
      }
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Targets, PoolTest, all_targets(), name_of);

TEST_P(PoolTest, Max) {
  for (const int threads : {1, 3}) {
    ThreadPool pool(threads);
    for_cases(1, [&](const PoolArgs& args, int planes, const Floats& x, Map& y) {
      max_pool(args, pool);
      EXPECT_EQ(y.plain(), reference::max_pool(x, planes, args.window));
    });
  }
}

TEST_P(PoolTest, Average) {
  ErrorStatistics errors;
  ThreadPool pool(3);
  for (const bool counts : {false, true}) {
    for (const int pad_end : {0, 1}) {  // 0: the last window may reach beyond the padding
      for_cases(1, [&](const PoolArgs& args, int planes, const Floats& x, Map& y) {
        average_pool(args, {counts, pad_end, pad_end}, pool);
        const auto mean = [&](const Floats& values) {
          return reference::average_pool(values, planes, args.window, counts, pad_end, pad_end);
        };
        errors.add(y.plain(), mean(x), mean(magnitudes(x)));
      });
    }
  }
  errors.expect_below(3e-7);
}

TEST_P(PoolTest, GlobalAverage) {
  ErrorStatistics errors;
  for (const int channels : {1, vector_lanes(), 9 * vector_lanes() + 1}) {
    for (const int pixels : {1, 7, 49}) {
      Map x(3, pixels, {channels});
      Map y(3, 1, {channels});
      const Floats values = random_floats(static_cast<std::size_t>(3 * pixels * channels), 1);
      x.fill(values);
      ThreadPool pool(3);
      global_average_pool({.batch = 3,
                           .pixels = pixels,
                           .channels = channels,
                           .input = x.buffer.data(),
                           .input_stride = x.stride,
                           .output = y.buffer.data(),
                           .output_stride = y.stride},
                          pool);
      errors.add(y.plain(), reference::global_average_pool(values, 3 * channels, pixels),
                 reference::global_average_pool(magnitudes(values), 3 * channels, pixels));
    }
  }
  errors.expect_below(3e-7);
}

}  // namespace
}  // namespace concertina::kernels
