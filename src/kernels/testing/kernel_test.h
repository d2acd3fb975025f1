#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/random.h"
#include "base/thread_pool.h"
#include "kernels/layout.h"
#include "kernels/reference.h"
#include "kernels/testing/targets.h"

/// What the kernels' tests share.
namespace concertina::kernels {

using reference::Floats;

/// A test that runs on every instruction set of this machine: INSTANTIATE_TEST_SUITE_P(..., all_targets(),
/// name_of).
class KernelTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { ASSERT_TRUE(limit_target(GetParam())); }
  void TearDown() override { ASSERT_TRUE(limit_target("")); }
};

inline auto all_targets() {
  return ::testing::ValuesIn(target_names());
}
inline auto name_of = [](const auto& param) { return param.param; };

inline int sum(const std::vector<int>& values) {
  return std::accumulate(values.begin(), values.end(), 0);
}

/// Uniform in [-1, 1).
inline Floats random_floats(std::size_t count, std::uint64_t seed) {
  const CounterRandom random(seed);
  Floats values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(2 * random.uniform(i) - 1);
  return values;
}

inline Floats magnitudes(Floats values) {
  for (float& v : values) v = std::abs(v);
  return values;
}

inline AlignedBuffer poisoned(std::size_t count) {
  AlignedBuffer buffer(count);
  for (float& v : buffer.span()) v = std::numeric_limits<float>::quiet_NaN();
  return buffer;
}

/// A per-channel array as the kernels want it, with poison past its end.
inline AlignedBuffer per_channel(const Floats& values) {
  AlignedBuffer buffer = poisoned(static_cast<std::size_t>(epilogue_size(static_cast<int>(values.size()))));
  std::copy(values.begin(), values.end(), buffer.data());
  return buffer;
}

/// Activations in the kernels' layout, every float that is no real channel poisoned with NaN.
struct Map {
  int batch;
  int pixels;
  std::vector<int> channels;  ///< of each segment
  std::vector<int> offsets;   ///< of each segment in the pixel
  int stride = 0;
  AlignedBuffer buffer;

  /// The pixel is `spare_vectors` vectors longer than it has to be.
  Map(int batch_, int pixels_, std::vector<int> channels_, int spare_vectors = 1)
      : batch(batch_), pixels(pixels_), channels(std::move(channels_)) {
    for (const int c : channels) {
      offsets.push_back(stride);
      stride += round_up(c, vector_lanes());
    }
    stride += spare_vectors * vector_lanes();
    buffer = poisoned(static_cast<std::size_t>(batch) * pixels * stride);
  }

  float& at(int n, int p, int segment, int c) {
    return buffer.data()[(static_cast<std::ptrdiff_t>(n) * pixels + p) * stride + offsets[segment] + c];
  }

  /// Calls body(value in the map, value in `plain`) for all; plain is [batch][all channels][pixels].
  template <typename Body>
  void zip(Floats& plain, const Body& body) {
    std::size_t i = 0;
    for (int n = 0; n < batch; ++n) {
      for (std::size_t s = 0; s < channels.size(); ++s) {
        for (int c = 0; c < channels[s]; ++c) {
          for (int p = 0; p < pixels; ++p) body(at(n, p, static_cast<int>(s), c), plain[i++]);
        }
      }
    }
  }

  Map& fill(Floats plain) {
    zip(plain, [](float& here, float there) { here = there; });
    return *this;
  }
  Floats plain() {
    Floats values(static_cast<std::size_t>(batch) * sum(channels) * pixels);
    zip(values, [](float here, float& there) { there = here; });
    return values;
  }
};

/// The largest error of an op over all its tests, as a share of the magnitude of what was summed.
class ErrorStatistics {
 public:
  void add(const Floats& got, const Floats& wanted, const Floats& magnitude) {
    ASSERT_EQ(got.size(), wanted.size());
    ASSERT_EQ(got.size(), magnitude.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      ASSERT_TRUE(std::isfinite(got[i])) << "at " << i;
      const double error = std::abs(static_cast<double>(got[i]) - wanted[i]) / (magnitude[i] + 1e-30);
      worst_ = std::max(worst_, error);
      sum_of_squares_ += error * error;
      ++count_;
    }
  }

  /// Leaves the statistics in the test's record (--gtest_output=json) and holds the op to its bound.
  void expect_below(double bound) const {
    ::testing::Test::RecordProperty("worst_error", std::to_string(worst_ * 1e9) + "e-9");
    ::testing::Test::RecordProperty(
        "rms_error", std::to_string(std::sqrt(sum_of_squares_ / static_cast<double>(count_)) * 1e9) + "e-9");
    EXPECT_GT(count_, 0);
    EXPECT_LE(worst_, bound);
  }

 private:
  double worst_ = 0;
  double sum_of_squares_ = 0;
  std::int64_t count_ = 0;
};

/// The output size of a window with this much padding at the end, too.
inline int out_size(int in, int kernel, int stride, int begin, int end, int dilation = 1) {
  return (in + begin + end - (kernel - 1) * dilation - 1) / stride + 1;
}

/// A window with `end` padding at the bottom and right; its output is at least 1 x 1.
inline WindowArgs window(int h, int w, int kernel, int stride, int begin, int end, int dilation = 1) {
  return {.in_h = h,
          .in_w = w,
          .out_h = out_size(h, kernel, stride, begin, end, dilation),
          .out_w = out_size(w, kernel, stride, begin, end, dilation),
          .kernel_h = kernel,
          .kernel_w = kernel,
          .stride_h = stride,
          .stride_w = stride,
          .pad_top = begin,
          .pad_left = begin,
          .dilation_h = dilation,
          .dilation_w = dilation};
}

}  // namespace concertina::kernels
