#include "kernels/conv.h"

#include "kernels/testing.h"

namespace concertina::kernels {
namespace {

/// A sub-net's convolution: of each input segment and of the output, the first active channels of the full
/// ones.
struct Case {
  int batch = 1;
  Window window;
  int groups = 1;
  std::vector<int> full_inputs;  ///< full channels of each segment
  std::vector<int> inputs;       ///< active ones
  int full_out = 1;              ///< per group
  int out = 1;
  bool residual = false;
  bool in_place = false;  ///< the residual is the output's old content
  Activation act = Activation::kNone;
};

int sum(const std::vector<int>& values) {
  int total = 0;
  for (const int v : values) total += v;
  return total;
}

/// The sub-net's own filter, cut out of the full one.
Floats cut(const Case& c, const Floats& full) {
  const int taps = c.window.taps();
  Floats result;
  for (int g = 0; g < c.groups; ++g) {
    for (int k = 0; k < c.out; ++k) {
      int begin = 0;
      for (std::size_t s = 0; s < c.inputs.size(); begin += c.full_inputs[s++]) {
        const auto row = full.begin() + ((g * c.full_out + k) * sum(c.full_inputs) + begin) * taps;
        result.insert(result.end(), row, row + c.inputs[s] * taps);
      }
    }
  }
  return result;
}

struct Problem {
  explicit Problem(const Case& shape) : c(shape) {
    const int taps = c.window.taps();
    in = sum(c.inputs);
    out = c.groups * c.out;
    full_weights =
        random_floats(static_cast<std::size_t>(c.groups) * c.full_out * sum(c.full_inputs) * taps, 1);
    ref = {.batch = c.batch,
           .groups = c.groups,
           .in_channels = in,
           .out_channels = c.out,
           .window = c.window,
           .x = random_floats(
               static_cast<std::size_t>(c.batch) * c.groups * in * c.window.in_h * c.window.in_w, 2),
           .w = cut(c, full_weights),
           .scale = random_floats(static_cast<std::size_t>(out), 3),
           .shift = random_floats(static_cast<std::size_t>(out), 4),
           .residual = {},
           .act = c.act};
    const auto size = static_cast<std::size_t>(c.batch) * out * c.window.out_h * c.window.out_w;
    if (c.residual) ref.residual = random_floats(size, 5);
  }

  Floats magnitude() const {
    reference::Conv m = ref;
    for (Floats* values : {&m.x, &m.w, &m.scale, &m.shift, &m.residual}) *values = magnitudes(*values);
    m.act = Activation::kNone;
    return reference::conv(m);
  }

  Floats run(int threads) const {
    const Filter filter{c.groups, c.full_out, sum(c.full_inputs), c.window.taps()};
    AlignedBuffer packed = poisoned(packed_size(filter));
    pack_conv(filter, full_weights.data(), packed.data());
    const int pixels = c.window.out_h * c.window.out_w;
    Map x(c.batch, c.window.in_h * c.window.in_w, c.groups > 1 ? std::vector{c.groups * in} : c.inputs);
    Map y(c.batch, pixels, {out});
    Map r(c.batch, pixels, {out}, 2);
    x.fill(ref.x);
    Map& residual = c.in_place ? y : r;
    if (c.residual) residual.fill(ref.residual);
    std::vector<ChannelRange> ranges;
    for (std::size_t s = 0, begin = 0; s < c.inputs.size(); begin += c.full_inputs[s++]) {
      ranges.push_back({static_cast<int>(begin), c.groups > 1 ? 0 : x.offsets[s], c.inputs[s]});
    }
    const AlignedBuffer scale = per_channel(ref.scale);
    const AlignedBuffer shift = per_channel(ref.shift);
    ThreadPool pool(threads);
    conv({.filter = filter,
          .packed = packed.data(),
          .batch = c.batch,
          .window = c.window,
          .input = x.buffer.data(),
          .input_stride = x.stride,
          .inputs = ranges,
          .groups = c.groups,
          .out_channels = c.out,
          .output = y.buffer.data(),
          .output_stride = y.stride,
          .epilogue = {.scale = scale.data(),
                       .shift = shift.data(),
                       .residual = c.residual ? residual.buffer.data() : nullptr,
                       .residual_stride = residual.stride,
                       .act = c.act}},
         pool);
    return y.plain();
  }

  Case c;
  int in = 0;
  int out = 0;
  Floats full_weights;
  reference::Conv ref;
};

class ConvTest : public KernelTest {
 protected:
  void check(const Case& c) {
    const Problem problem(c);
    const Floats y = problem.run(1);
    errors_.add(y, reference::conv(problem.ref), problem.magnitude());
    ASSERT_EQ(y, problem.run(3)) << "three threads give other bits";
  }

  // About 200 products are summed one after the other in float: the worst of many sums is a few units of
  // 2^-24.
  void TearDown() override {
    errors_.expect_below(4e-7);
    KernelTest::TearDown();
  }

  ErrorStatistics errors_;
};
INSTANTIATE_TEST_SUITE_P(Targets, ConvTest, all_targets(), name_of);

TEST_P(ConvTest, AnyNumberOfChannels) {
  const int most = 2 * vector_lanes() + 1;
  for (int channels = 1; channels <= most; ++channels) {
    check({.window = window(5, 7, 3, 1, 1, 1),
           .full_inputs = {3},
           .inputs = {3},
           .full_out = channels,
           .out = channels});
    check({.window = window(3, 4, 3, 1, 1, 1),
           .full_inputs = {channels},
           .inputs = {channels},
           .full_out = 5,
           .out = 5});
  }
  check({.window = window(2, 3, 1, 1, 0, 0),
         .full_inputs = {2},
         .inputs = {2},
         .full_out = 5 * most,
         .out = 5 * most});
}

TEST_P(ConvTest, AnyWindow) {
  for (const int kernel : {1, 3, 5, 7, 11}) {
    for (const int stride : {1, 2}) {
      for (const int begin : {0, kernel / 2, kernel - 1}) {
        for (const auto& [h, w] : {std::pair{1, 1}, {1, 9}, {5, 7}, {12, 13}}) {
          const int end = std::max(kernel / 2, kernel - 1 - begin);
          check({.batch = 2,
                 .window = window(h, w, kernel, stride, begin, end),
                 .full_inputs = {2},
                 .inputs = {2},
                 .full_out = 3,
                 .out = 3});
        }
      }
    }
  }
  Window odd = window(9, 11, 3, 1, 2, 1, 2);  // dilated, and not square in anything
  odd.kernel_w = 2;
  odd.stride_w = 3;
  odd.pad_left = 1;
  odd.out_w = 4;
  check({.batch = 3, .window = odd, .full_inputs = {3}, .inputs = {3}, .full_out = 5, .out = 5});
}

TEST_P(ConvTest, SubnetsArePrefixes) {
  const int lanes = vector_lanes();
  const int full = 5 * lanes + 2;
  for (const int out : {1, lanes, lanes + 1, 2 * lanes, 3 * lanes - 1, 4 * lanes + 1, full}) {
    for (const int in : {1, lanes - 1, lanes, lanes + 2}) {
      if (in < 1) continue;
      check({.window = window(4, 5, 3, 1, 1, 1),
             .full_inputs = {lanes + 3},
             .inputs = {in},
             .full_out = full,
             .out = out});
    }
  }
}

TEST_P(ConvTest, ReadsSegments) {
  const int lanes = vector_lanes();
  for (const int first : {1, lanes, lanes + 1}) {
    for (const int second : {1, 3}) {
      check({.batch = 2,
             .window = window(5, 4, 3, 1, 1, 1),
             .full_inputs = {lanes + 1, 4, 2},
             .inputs = {first, second, 2},
             .full_out = lanes,
             .out = lanes});
    }
  }
}

TEST_P(ConvTest, Groups) {
  // In place, so that a vector stored over the next group's channels spoils their residual.
  const int lanes = vector_lanes();
  for (const int groups : {2, 3}) {
    for (const int out : {1, 3, lanes, lanes + 1, 2 * lanes, 2 * lanes + 3}) {
      check({.batch = 2,
             .window = window(5, 6, 3, 1, 1, 1),
             .groups = groups,
             .full_inputs = {3},
             .inputs = {3},
             .full_out = out,
             .out = out,
             .residual = true,
             .in_place = true});
    }
  }
}

TEST_P(ConvTest, Epilogues) {
  for (const Activation act : {Activation::kNone, Activation::kRelu, Activation::kRelu6}) {
    for (const bool residual : {false, true}) {
      for (const bool in_place : {false, true}) {
        const int out = vector_lanes() + 1;
        check({.batch = 3,
               .window = window(5, 7, 3, 2, 1, 1),
               .full_inputs = {19},
               .inputs = {17},
               .full_out = out,
               .out = out,
               .residual = residual,
               .in_place = in_place,
               .act = act});
      }
    }
  }
}

TEST_P(ConvTest, LinearLayersLongerThanOneRun) {
  for (const int batch : {1, 2, 3}) {
    check({.batch = batch, .window = {}, .full_inputs = {2500}, .inputs = {2100}, .full_out = 70, .out = 67});
  }
}

TEST_P(ConvTest, ManyBlocksOfPixels) {
  check({.batch = 3,
         .window = window(61, 67, 3, 1, 1, 1),
         .full_inputs = {4},
         .inputs = {4},
         .full_out = 3,
         .out = 3});
}

}  // namespace
}  // namespace concertina::kernels
