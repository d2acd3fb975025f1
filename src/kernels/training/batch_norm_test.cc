#include "kernels/training/batch_norm.h"

#include <cstring>

#include "kernels/testing/kernel_test.h"

namespace concertina::kernels {
namespace {

/// fp32 values that bf16 holds exactly.
Floats exact_in_bf16(std::size_t count, std::uint64_t seed) {
  Floats values = random_floats(count, seed);
  for (float& v : values) v = std::round(v * 64) / 32;
  return values;
}

std::vector<std::uint16_t> to_bf16(const Floats& values) {
  std::vector<std::uint16_t> halves;
  for (const float v : values) {
    std::uint32_t bits;
    std::memcpy(&bits, &v, sizeof(bits));
    halves.push_back(static_cast<std::uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16));
  }
  return halves;
}

Floats to_floats(const std::vector<std::uint16_t>& halves) {
  Floats values;
  for (const std::uint16_t half : halves) {
    const std::uint32_t bits = static_cast<std::uint32_t>(half) << 16;
    float v;
    std::memcpy(&v, &bits, sizeof(v));
    values.push_back(v);
  }
  return values;
}

/// A map in either type; what lies past its end is checked.
class Values {
 public:
  Values(Floats values, Element element)
      : floats_(std::move(values)), halves_(to_bf16(floats_)), element_(element) {
    floats_.push_back(kGuard);
    halves_.push_back(kHalfGuard);
  }
  void* data() { return element_ == Element::bf16 ? static_cast<void*>(halves_.data()) : floats_.data(); }
  Floats read() const {
    Floats all = element_ == Element::bf16 ? to_floats(halves_) : floats_;
    EXPECT_EQ(element_ == Element::bf16 ? halves_.back() : kHalfGuard, kHalfGuard);
    EXPECT_EQ(floats_.back(), kGuard);
    all.pop_back();
    return all;
  }

 private:
  static constexpr float kGuard = 12345;
  static constexpr std::uint16_t kHalfGuard = 0x4321;
  Floats floats_;
  std::vector<std::uint16_t> halves_;
  Element element_;
};

class BatchNormTest : public KernelTest {
 protected:
  /// body(pixels, channels, element): around the lane counts, and with many repeats of the pattern.
  template <typename Body>
  static void for_shapes(const Body& body) {
    for (const Element element : {Element::fp32, Element::bf16}) {
      for (int channels = 1; channels <= 2 * vector_lanes() + 1; ++channels) body(37, channels, element);
      body(1, 3, element);
      body(3000, 6, element);
      body(40, 500, element);
    }
  }

  static Floats rounded(const Floats& values, Element element) {
    return element == Element::bf16 ? to_floats(to_bf16(values)) : values;
  }

  static void expect_close(const Floats& got, const std::vector<double>& wanted, double bound) {
    ASSERT_EQ(got.size(), wanted.size());
    for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], wanted[i], bound) << "at " << i;
  }
};
INSTANTIATE_TEST_SUITE_P(Targets, BatchNormTest, all_targets(), name_of);

TEST_P(BatchNormTest, Moments) {
  for_shapes([](int pixels, int channels, Element element) {
    const auto c = static_cast<std::size_t>(channels), size = static_cast<std::size_t>(pixels) * c;
    const Floats x = exact_in_bf16(size, 1), origin = random_floats(c, 2);
    std::vector<double> sums(c), squares(c);
    for (std::size_t i = 0; i < size; ++i) {
      const double v = static_cast<double>(x[i]) - origin[i % c];
      sums[i % c] += v;
      squares[i % c] += v * v;
    }
    Floats got_sums(c), got_squares(c);
    moments({{pixels, channels, element},
             Values(x, element).data(),
             origin.data(),
             got_sums.data(),
             got_squares.data()});
    expect_close(got_sums, sums, 1e-4 * pixels);
    expect_close(got_squares, squares, 1e-4 * pixels);
  });
}

TEST_P(BatchNormTest, Normalize) {
  for_shapes([](int pixels, int channels, Element element) {
    const auto c = static_cast<std::size_t>(channels), size = static_cast<std::size_t>(pixels) * c;
    const Floats x = exact_in_bf16(size, 1), scale = exact_in_bf16(c, 2), shift = exact_in_bf16(c, 3);
    const Floats added = exact_in_bf16(size, 4);
    for (const auto& [relu, residual] :
         {std::pair(false, false), {true, false}, {false, true}, {true, true}}) {
      Floats wanted(size);
      // These products and sums are exact in fp32.
      for (std::size_t i = 0; i < size; ++i) {
        wanted[i] = x[i] * scale[i % c] + shift[i % c] + (residual ? added[i] : 0);
        if (relu) wanted[i] = std::max(wanted[i], 0.0F);
      }
      Values in(x, element), other(added, element), out(Floats(size), element);
      apply_norm({.map = {pixels, channels, element},
                  .x = in.data(),
                  .residual = residual ? other.data() : nullptr,
                  .scale = scale.data(),
                  .shift = shift.data(),
                  .relu = relu,
                  .y = out.data()});
      EXPECT_EQ(out.read(), rounded(wanted, element));
    }
  });
}

TEST_P(BatchNormTest, WhatIsNoNumberStaysNone) {
  const Floats x = {1, -2, std::numeric_limits<float>::quiet_NaN(), 4}, zeros(4);
  const Floats residual = {std::numeric_limits<float>::quiet_NaN(), 0, 0, 0}, one = {1}, zero = {0};
  Floats y(4);
  apply_norm({.map = {4, 1, Element::fp32},
              .x = x.data(),
              .residual = residual.data(),
              .scale = one.data(),
              .shift = zero.data(),
              .relu = true,
              .y = y.data()});
  EXPECT_TRUE(std::isnan(y[0]));
  EXPECT_EQ(y[1], 0);
  EXPECT_TRUE(std::isnan(y[2]));
  EXPECT_EQ(y[3], 4);
}

TEST_P(BatchNormTest, Gradients) {
  for_shapes([](int pixels, int channels, Element element) {
    const auto c = static_cast<std::size_t>(channels), size = static_cast<std::size_t>(pixels) * c;
    const Floats x = exact_in_bf16(size, 1), y = exact_in_bf16(size, 2), dy = exact_in_bf16(size, 3);
    const Floats mean = exact_in_bf16(c, 4), a = exact_in_bf16(c, 5), b = exact_in_bf16(c, 6),
                 constant = exact_in_bf16(c, 7);
    for (const bool relu : {false, true}) {
      std::vector<double> sums(c), products(c);
      Floats dx(size), gradients(size);
      for (std::size_t i = 0; i < size; ++i) {
        const float g = relu && y[i] <= 0 ? 0 : dy[i];
        gradients[i] = g;
        sums[i % c] += g;
        products[i % c] += static_cast<double>(g) * (static_cast<double>(x[i]) - mean[i % c]);
        dx[i] = g * a[i % c] + (x[i] * b[i % c] + constant[i % c]);
      }
      Values xs(x, element), ys(y, element), dys(dy, element), out(Floats(size), element),
          kept(Floats(size), element);
      void* mask = relu ? ys.data() : nullptr;
      Floats got_sums(c), got_products(c);
      gradient_moments({{pixels, channels, element},
                        xs.data(),
                        mask,
                        dys.data(),
                        mean.data(),
                        got_sums.data(),
                        got_products.data(),
                        kept.data()});
      EXPECT_EQ(kept.read(), gradients);
      expect_close(got_sums, sums, 1e-4 * pixels);
      expect_close(got_products, products, 1e-4 * pixels);
      input_gradient({{pixels, channels, element},
                      xs.data(),
                      mask,
                      dys.data(),
                      a.data(),
                      b.data(),
                      constant.data(),
                      out.data()});
      EXPECT_EQ(out.read(), rounded(dx, element));
    }
  });
}

}  // namespace
}  // namespace concertina::kernels
