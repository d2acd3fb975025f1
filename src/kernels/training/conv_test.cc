#include "kernels/training/conv.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "kernels/testing/kernel_test.h"
#include "kernels/training/conv_tiles.h"

namespace concertina::kernels {
namespace {

float from_half(std::uint32_t half) {
  return std::bit_cast<float>(half << 16);
}

/// What AMX's instructions stand for.
struct PlainTiles {
  static inline std::uint32_t tiles[8][16][16];

  template <int kTile>
  static void zero() {
    std::memset(tiles[kTile], 0, sizeof(tiles[kTile]));
  }
  template <int kTile>
  static void load(const void* from, std::ptrdiff_t row_bytes) {
    for (int r = 0; r < 16; ++r)
      std::memcpy(tiles[kTile][r], static_cast<const char*>(from) + r * row_bytes, 64);
  }
  template <int kTile>
  static void store(void* to, std::ptrdiff_t row_bytes) {
    for (int r = 0; r < 16; ++r) std::memcpy(static_cast<char*>(to) + r * row_bytes, tiles[kTile][r], 64);
  }
  template <int kSums, int kA, int kB>
  static void multiply() {
    for (int m = 0; m < 16; ++m) {
      for (int n = 0; n < 16; ++n) {
        float sum = std::bit_cast<float>(tiles[kSums][m][n]);
        for (int k = 0; k < 16; ++k) {
          const std::uint32_t a = tiles[kA][m][k], b = tiles[kB][k][n];
          sum += from_half(a & 0xFFFF) * from_half(b & 0xFFFF) + from_half(a >> 16) * from_half(b >> 16);
        }
        tiles[kSums][m][n] = std::bit_cast<std::uint32_t>(sum);
      }
    }
  }
};

void nothing() {}
constexpr TrainingUnit kPlainTiles = TileProducts<PlainTiles>::unit("tiles in plain code", nothing, nothing);

/// A convolution, and which part of a larger array its weights are.
struct Problem {
  WindowArgs window;
  int images = 1, groups = 1, in_channels = 1, out_channels = 1;
  int spare = 0;  ///< channels of the array that the sub-net does not have

  std::size_t inputs() const {
    return static_cast<std::size_t>(images * window.in_h * window.in_w * groups * in_channels);
  }
  std::size_t outputs() const {
    return static_cast<std::size_t>(images * window.out_h * window.out_w * groups * out_channels);
  }
  std::ptrdiff_t tap() const { return in_channels + spare; }
  std::ptrdiff_t row() const { return tap() * window.taps(); }
  std::size_t weights() const { return static_cast<std::size_t>(groups * out_channels * row()); }
};

Problem square(int images, int size, int in, int out, int kernel, int stride, int pad, int dilation = 1,
               int groups = 1, int spare = 3) {
  const int extent = (kernel - 1) * dilation + 1, width = size + 1;
  const WindowArgs window{.in_h = size,
                          .in_w = width,
                          .out_h = (size + 2 * pad - extent) / stride + 1,
                          .out_w = (width + 2 * pad - extent) / stride + 1,
                          .kernel_h = kernel,
                          .kernel_w = kernel,
                          .stride_h = stride,
                          .stride_w = stride,
                          .pad_top = pad,
                          .pad_left = pad,
                          .dilation_h = dilation,
                          .dilation_w = dilation};
  return {window, images, groups, in, out, spare};
}

/// Odd sizes, all ways in which windows lie, rows too short for a block, channels that fill no vector.
std::vector<Problem> problems() {
  Problem oblong = square(2, 9, 4, 6, 3, 2, 1);
  oblong.window = {.in_h = 9,
                   .in_w = 14,
                   .out_h = 4,
                   .out_w = 14,
                   .kernel_h = 2,
                   .kernel_w = 5,
                   .stride_h = 2,
                   .stride_w = 1,
                   .pad_top = 0,
                   .pad_left = 2};
  return {square(3, 9, 5, 7, 3, 1, 1),
          square(2, 20, 16, 16, 3, 1, 1),
          square(2, 13, 16, 35, 3, 2, 1),
          square(17, 4, 20, 40, 3, 1, 1),
          square(13, 2, 33, 17, 3, 1, 1),
          square(1, 2, 3, 8, 3, 1, 1),
          square(3, 12, 8, 24, 1, 2, 0),
          square(2, 15, 6, 10, 5, 3, 2),
          square(2, 15, 6, 10, 3, 1, 2, 2),
          square(2, 11, 9, 6, 3, 2, 1, 1, 3),
          square(2, 17, 3, 16, 7, 2, 3),
          square(2, 6, 3, 16, 3, 1, 0),
          square(5, 5, 3, 9, 2, 3, 0),
          square(3, 9, 1, 1, 3, 1, 1, 1, 21, 0),
          square(3, 11, 1, 1, 3, 2, 1, 1, 40, 0),
          square(9, 4, 1, 1, 5, 1, 2, 1, 17, 0),
          square(40, 1, 70, 5, 1, 1, 0),
          square(2, 3, 9, 5, 1, 3, 0),
          square(3, 2, 4, 6, 5, 1, 2),
          oblong};
}

/// Results of the definition, and the sum of the sizes of what was added up.
struct Exact {
  std::vector<double> values, sizes;
  explicit Exact(std::size_t count) : values(count), sizes(count) {}
  void add(std::size_t at, double product) {
    values[at] += product;
    sizes[at] += std::abs(product);
  }
};

struct Definition {
  Exact y, dx, gradient;

  Definition(const Problem& p, const Floats& x, const Floats& dy, const Floats& filter, const Floats& bias)
      : y(p.outputs()), dx(p.inputs()), gradient(p.weights()) {
    const WindowArgs& w = p.window;
    for (int n = 0; n < p.images; ++n) {
      for (int i = 0; i < w.out_h; ++i) {
        for (int j = 0; j < w.out_w; ++j) {
          for (int k = 0; k < p.groups * p.out_channels; ++k) {
            const std::size_t out = index((n * w.out_h + i) * w.out_w + j, p.groups * p.out_channels, k);
            y.add(out, bias[static_cast<std::size_t>(k)]);
            for_inputs(p, n, i, j, k, [&](std::size_t in, std::size_t weight) {
              y.add(out, double{x[in]} * filter[weight]);
              dx.add(in, double{dy[out]} * filter[weight]);
              gradient.add(weight, double{dy[out]} * x[in]);
            });
          }
        }
      }
    }
  }

 private:
  static std::size_t index(int pixel, int channels, int channel) {
    return static_cast<std::size_t>(pixel) * static_cast<std::size_t>(channels) +
           static_cast<std::size_t>(channel);
  }

  template <typename Body>
  static void for_inputs(const Problem& p, int n, int i, int j, int k, const Body& body) {
    const WindowArgs& w = p.window;
    for (int tap = 0; tap < w.taps(); ++tap) {
      const int y = i * w.stride_h - w.pad_top + tap / w.kernel_w * w.dilation_h;
      const int x = j * w.stride_w - w.pad_left + tap % w.kernel_w * w.dilation_w;
      if (y < 0 || x < 0 || y >= w.in_h || x >= w.in_w) continue;
      for (int c = 0; c < p.in_channels; ++c) {
        const int in = k / p.out_channels * p.in_channels + c;
        body(index((n * w.in_h + y) * w.in_w + x, p.groups * p.in_channels, in),
             static_cast<std::size_t>(k * p.row() + tap * p.tap() + c));
      }
    }
  }
};

class TrainingConvTest : public KernelTest {
 protected:
  static void serial(int count, const std::function<void(int)>& body) {
    for (int i = 0; i < count; ++i) body(i);
  }

  /// The last first, as if threads had overtaken each other.
  static void backwards(int count, const std::function<void(int)>& body) {
    for (int i = count; i-- > 0;) body(i);
  }

  /// Random values that bf16 holds exactly.
  static Floats exact_in_bf16(std::size_t count, std::uint64_t seed) {
    Floats values = random_floats(count, seed);
    for (float& v : values) v = std::round(v * 64) / 64;
    return values;
  }

  struct Results {
    Floats y, dx, gradient, mean, variance;
    friend bool operator==(const Results&, const Results&) = default;
  };

  static Results run(const Problem& p, const TrainingUnit& unit, Element element, const ParallelFor& parallel,
                     std::uint64_t seed = 1) {
    const auto channels = static_cast<std::size_t>(p.groups * p.out_channels);
    const Floats x = exact_in_bf16(p.inputs(), seed), dy = exact_in_bf16(p.outputs(), 2),
                 filter = exact_in_bf16(p.weights(), 3), bias = exact_in_bf16(channels, 4);
    const TrainingConv conv{p.window, p.images, p.groups, p.in_channels, p.out_channels, element, &unit};
    const TrainedMap from(x, element), gradients(dy, element);
    TrainedMap y(Floats(p.outputs()), element), dx(Floats(p.inputs()), element);
    Results results{{}, {}, Floats(p.weights(), kBefore), Floats(channels), Floats(channels)};
    Workspace workspace;
    const FilterPart<const float> part{filter.data(), p.row(), 1, p.tap()};
    conv_forward(
        {conv, from.data(), part, bias.data(), y.data(), results.mean.data(), results.variance.data()},
        workspace, parallel);
    conv_input_gradient({conv, gradients.data(), part, dx.data()}, workspace, parallel);
    conv_filter_gradient(
        {conv, from.data(), gradients.data(), {results.gradient.data(), p.row(), 1, p.tap()}}, workspace,
        parallel);
    results.y = y.read();
    results.dx = dx.read();
    return results;
  }

  static void expect_right(const Problem& p, const TrainingUnit& unit, Element element) {
    SCOPED_TRACE(testing::Message() << unit.name << (element == Element::bf16 ? ", maps of bf16" : "") << ", "
                                    << p.images << " images " << p.window.in_h << "x" << p.window.in_w << ", "
                                    << p.in_channels << " -> " << p.out_channels << ", " << p.groups
                                    << " groups, kernel " << p.window.kernel_h << "x" << p.window.kernel_w
                                    << ", stride " << p.window.stride_h << ", dilation "
                                    << p.window.dilation_h);
    const auto channels = static_cast<std::size_t>(p.groups * p.out_channels);
    const Definition wanted(p, exact_in_bf16(p.inputs(), 1), exact_in_bf16(p.outputs(), 2),
                            exact_in_bf16(p.weights(), 3), exact_in_bf16(channels, 4));
    const Results got = run(p, unit, element, serial);
    const double rounding = element == Element::bf16 ? 1.0 / 256 : 0;
    expect_close(got.y, wanted.y, rounding);
    expect_close(got.dx, wanted.dx, rounding);
    expect_gradient(p, got.gradient, wanted.gradient);
    expect_moments(got);
  }

 private:
  static constexpr float kBefore = 0.5;  // a gradient is added to what is there

  /// A map in either type.
  class TrainedMap {
   public:
    TrainedMap(Floats values, Element element) : floats_(std::move(values)), element_(element) {
      for (const float v : floats_)
        halves_.push_back(static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(v) >> 16));
    }
    void* data() { return element_ == Element::bf16 ? static_cast<void*>(halves_.data()) : floats_.data(); }
    const void* data() const {
      return element_ == Element::bf16 ? static_cast<const void*>(halves_.data()) : floats_.data();
    }
    Floats read() const {
      if (element_ == Element::fp32) return floats_;
      Floats values;
      for (const std::uint16_t half : halves_) values.push_back(from_half(half));
      return values;
    }

   private:
    Floats floats_;
    std::vector<std::uint16_t> halves_;
    Element element_;
  };

  static void expect_close(const Floats& got, const Exact& wanted, double rounding) {
    ASSERT_EQ(got.size(), wanted.values.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      const double bound = 2e-6 * wanted.sizes[i] + rounding * std::abs(wanted.values[i]) + 1e-6;
      ASSERT_NEAR(got[i], wanted.values[i], bound) << "at " << i;
    }
  }

  /// Nothing outside the part is touched.
  static void expect_gradient(const Problem& p, const Floats& got, const Exact& wanted) {
    for (std::size_t i = 0; i < got.size(); ++i) {
      const bool inside = static_cast<std::ptrdiff_t>(i) % p.tap() < p.in_channels;
      const double bound = inside ? 3e-6 * wanted.sizes[i] + 1e-6 : 0;
      ASSERT_NEAR(got[i], wanted.values[i] + kBefore, bound) << "at " << i;
    }
  }

  /// Those of the values that were stored.
  static void expect_moments(const Results& got) {
    const std::size_t channels = got.mean.size(), count = got.y.size() / channels;
    for (std::size_t c = 0; c < channels; ++c) {
      double mean = 0, variance = 0;
      for (std::size_t i = 0; i < count; ++i) mean += got.y[i * channels + c] / static_cast<double>(count);
      for (std::size_t i = 0; i < count; ++i) {
        const double distance = got.y[i * channels + c] - mean;
        variance += distance * distance / static_cast<double>(count);
      }
      ASSERT_NEAR(got.mean[c], mean, 1e-5 * (1 + std::abs(mean))) << "channel " << c;
      ASSERT_NEAR(got.variance[c], variance, 1e-4 * variance + 1e-6) << "channel " << c;
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Targets, TrainingConvTest, all_targets(), name_of);

TEST_P(TrainingConvTest, FloatsComputeTheDefinition) {
  for (const Problem& p : problems()) {
    expect_right(p, training_fp32_unit(), Element::fp32);
    if (HasFatalFailure()) return;
  }
}

TEST_P(TrainingConvTest, FloatsReadAndWriteMapsOfBf16) {
  for (const Problem& p : problems()) {
    expect_right(p, training_fp32_unit(), Element::bf16);
    if (HasFatalFailure()) return;
  }
}

TEST_P(TrainingConvTest, UnitsOfBf16ComputeTheDefinition) {
  for (const TrainingUnit* unit : {training_amx_unit(), training_avx512_bf16_unit(), &kPlainTiles}) {
    for (const Problem& p : problems()) {
      if (unit) expect_right(p, *unit, Element::bf16);
      if (HasFatalFailure()) return;
    }
  }
}

TEST_P(TrainingConvTest, ResultsDoNotDependOnTheOrderOfThreads) {
  for (const Problem& p : problems()) {
    EXPECT_EQ(run(p, kPlainTiles, Element::bf16, serial), run(p, kPlainTiles, Element::bf16, backwards));
    EXPECT_EQ(run(p, training_fp32_unit(), Element::fp32, serial),
              run(p, training_fp32_unit(), Element::fp32, backwards));
  }
}

TEST_P(TrainingConvTest, LargeMapsAreCutIntoRows) {
  expect_right(square(2, 90, 24, 5, 3, 1, 1), training_fp32_unit(), Element::fp32);
  expect_right(square(2, 90, 24, 5, 3, 2, 1), training_fp32_unit(), Element::fp32);
}

TEST_P(TrainingConvTest, MomentsOfValuesFarFromZeroAreExact) {
  Problem p = square(4, 9, 3, 6, 3, 1, 1);
  const auto channels = static_cast<std::size_t>(p.out_channels);
  const Floats x(p.inputs(), 0.25F), filter = exact_in_bf16(p.weights(), 3), bias(channels, 3000);
  const TrainingConv conv{p.window, p.images, 1, 3, 6, Element::fp32, &training_fp32_unit()};
  Floats y(p.outputs()), mean(channels), variance(channels);
  Workspace workspace;
  conv_forward({conv,
                x.data(),
                {filter.data(), p.row(), 1, p.tap()},
                bias.data(),
                y.data(),
                mean.data(),
                variance.data()},
               workspace, serial);
  for (std::size_t c = 0; c < channels; ++c) {
    double sum = 0, squares = 0;
    const auto count = static_cast<double>(y.size() / channels);
    for (std::size_t i = c; i < y.size(); i += channels) sum += y[i];
    for (std::size_t i = c; i < y.size(); i += channels) squares += std::pow(y[i] - sum / count, 2);
    EXPECT_NEAR(mean[c], sum / count, 1e-3);
    EXPECT_NEAR(variance[c], squares / count, 1e-3 * squares / count + 1e-7);
  }
}

TEST_P(TrainingConvTest, AWeightThatIsNoNumberIsSeen) {
  const Problem p = square(1, 5, 3, 4, 3, 1, 1, 1, 1, 0);
  for (const TrainingUnit* unit :
       {&training_fp32_unit(), training_amx_unit(), training_avx512_bf16_unit(), &kPlainTiles}) {
    if (!unit) continue;
    Floats filter = exact_in_bf16(p.weights(), 3);
    for (const std::size_t at : {std::size_t{0}, std::size_t{4}, filter.size() - 1}) {
      filter[at] = std::numeric_limits<float>::quiet_NaN();
      const std::vector<std::uint16_t> x(p.inputs(), 0x3f80);
      std::vector<std::uint16_t> y(p.outputs());
      const TrainingConv conv{p.window, 1, 1, 3, 4, Element::bf16, unit};
      Workspace workspace;
      conv_forward(
          {conv, x.data(), {filter.data(), p.row(), 1, p.tap()}, nullptr, y.data(), nullptr, nullptr},
          workspace, serial);
      const auto is_nan = [](std::uint16_t half) { return std::isnan(from_half(half)); };
      EXPECT_TRUE(std::any_of(y.begin(), y.end(), is_nan)) << unit->name << ", weight " << at;
      filter[at] = 1;
    }
  }
}

TEST(Workspace, LendsWhatCameBack) {
  Workspace workspace;
  const void* first = nullptr;
  {
    const Workspace::Loan loan = workspace.borrow(100'000);
    first = loan.as<void>();
    const Workspace::Loan other = workspace.borrow(100'000);
    EXPECT_NE(other.as<void>(), first);
  }
  const Workspace::Loan a = workspace.borrow(99'000), b = workspace.borrow(70'000);
  EXPECT_TRUE(a.as<void>() == first || b.as<void>() == first);
  EXPECT_NE(a.as<void>(), b.as<void>());
}

}  // namespace
}  // namespace concertina::kernels
