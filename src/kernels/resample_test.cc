#include "kernels/resample.h"

#include "kernels/testing/kernel_test.h"

namespace concertina::kernels {
namespace {

constexpr int kBatch = 2, kHeight = 3, kWidth = 4;

class ResampleTest : public KernelTest {
 protected:
  /// body(channels, threads, plain values, their map)
  template <typename Body>
  static void for_maps(const Body& body) {
    for (const int channels : {1, vector_lanes(), 2 * vector_lanes() + 1}) {
      const Floats values = random_floats(static_cast<std::size_t>(kBatch * channels * kHeight * kWidth), 1);
      Map x(kBatch, kHeight * kWidth, {channels});
      x.fill(values);
      for (const int threads : {1, 3}) {
        ThreadPool pool(threads);
        body(channels, pool, values, x);
      }
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Targets, ResampleTest, all_targets(), name_of);

TEST_P(ResampleTest, Pick) {
  const std::vector<int> rows = {-1, 0, 2, 2, 1}, columns = {3, 0, -1, 1, 1, 2, -1};
  for_maps([&](int channels, ThreadPool& pool, const Floats& values, Map& x) {
    Map y(kBatch, static_cast<int>(rows.size() * columns.size()), {channels}, 0);
    pick_pixels({.batch = kBatch,
                 .channels = channels,
                 .in_h = kHeight,
                 .in_w = kWidth,
                 .rows = rows,
                 .columns = columns,
                 .value = -2.5F,
                 .input = x.buffer.data(),
                 .input_stride = x.stride,
                 .output = y.buffer.data(),
                 .output_stride = y.stride},
                pool);
    EXPECT_EQ(y.plain(),
              reference::pick_pixels(values, kBatch * channels, kHeight, kWidth, rows, columns, -2.5F));
  });
}

TEST_P(ResampleTest, Blend) {
  const std::vector<LinearTap> rows = {{0, 1, 0.25F}, {1, 2, 0.9F}, {2, 2, 0}, {0, 2, 1}, {1, 1, 0.5F}};
  const std::vector<LinearTap> columns = {{3, 3, 0}, {2, 3, 0.7F}, {0, 1, 1.0F / 3}};
  ErrorStatistics errors;
  for_maps([&](int channels, ThreadPool& pool, const Floats& values, Map& x) {
    Map y(kBatch, static_cast<int>(rows.size() * columns.size()), {channels}, 0);
    blend_pixels({.batch = kBatch,
                  .channels = channels,
                  .in_h = kHeight,
                  .in_w = kWidth,
                  .rows = rows,
                  .columns = columns,
                  .input = x.buffer.data(),
                  .input_stride = x.stride,
                  .output = y.buffer.data(),
                  .output_stride = y.stride},
                 pool);
    const auto blend = [&](const Floats& from) {
      return reference::blend_pixels(from, kBatch * channels, kHeight, kWidth, rows, columns);
    };
    errors.add(y.plain(), blend(values), blend(magnitudes(values)));
  });
  errors.expect_below(5e-7);
}

TEST_P(ResampleTest, ScalePlanes) {
  struct Sizes {
    int in_h, in_w, out_h, out_w;
  };
  constexpr int kPlanes = 6;
  ErrorStatistics errors;
  for (const Sizes& s : {Sizes{32, 32, 24, 24},
                         {64, 48, 40, 30},
                         {7, 19, 3, 5},
                         {20, 20, 1, 1},
                         {9, 5, 9, 4},
                         {3, 3, 7, 18}}) {
    const Floats values = random_floats(static_cast<std::size_t>(kPlanes * s.in_h * s.in_w), 4);
    const ScaledLine rows = scale_line(s.in_h, s.out_h), columns = scale_line(s.in_w, s.out_w);
    for (const int threads : {1, 3}) {
      ThreadPool pool(threads);
      Floats scaled(static_cast<std::size_t>(kPlanes * s.out_h * s.out_w));
      const ScaleArgs args{.planes = kPlanes,
                           .rows = rows,
                           .columns = columns,
                           .input = values.data(),
                           .output = scaled.data()};
      Floats workspace(workspace_scale(args) * static_cast<std::size_t>(threads));
      scale_planes(args, workspace.data(), pool);
      const auto reference = [&](const Floats& from) {
        return reference::scale_planes(from, kPlanes, s.in_h, s.in_w, s.out_h, s.out_w);
      };
      errors.add(scaled, reference(values), reference(magnitudes(values)));
    }
  }
  errors.expect_below(1e-6);
}

}  // namespace
}  // namespace concertina::kernels
