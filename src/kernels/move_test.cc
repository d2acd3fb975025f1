#include "kernels/move.h"

#include "kernels/testing/kernel_test.h"

namespace concertina::kernels {
namespace {

class MoveTest : public KernelTest {
 protected:
  static constexpr int kBatch = 2;
  static constexpr int kPixels = 101;  // more than one block

  static Floats values(int channels) {
    return random_floats(static_cast<std::size_t>(kBatch) * channels * kPixels, 1);
  }

  ThreadPool pool_{3};
};
INSTANTIATE_TEST_SUITE_P(Targets, MoveTest, all_targets(), name_of);

TEST_P(MoveTest, FromPlainAndBack) {
  for (int channels = 1; channels <= 2 * vector_lanes() + 1; ++channels) {
    const Floats in = values(channels);
    Map x(kBatch, kPixels, {channels});
    from_plain({.batch = kBatch,
                .channels = channels,
                .pixels = kPixels,
                .plane = kPixels,
                .input = in.data(),
                .input_channels = channels,
                .output = x.buffer.data(),
                .output_stride = x.stride},
               pool_);
    EXPECT_EQ(x.plain(), in);
    Floats back(in.size());
    to_plain({.batch = kBatch,
              .channels = channels,
              .pixels = kPixels,
              .input = x.buffer.data(),
              .input_stride = x.stride,
              .output = back.data(),
              .output_channels = channels},
             pool_);
    EXPECT_EQ(back, in);
  }
}

TEST_P(MoveTest, DensePixels) {
  for (int channels = 1; channels <= 4; ++channels) {
    const Floats in = values(channels);
    Floats out(in.size());
    from_plain({.batch = kBatch,
                .channels = channels,
                .pixels = kPixels,
                .plane = kPixels,
                .input = in.data(),
                .input_channels = channels,
                .output = out.data(),
                .output_stride = channels},
               pool_);
    for (int n = 0; n < kBatch; ++n) {
      for (int p = 0; p < kPixels; ++p) {
        for (int c = 0; c < channels; ++c) {
          ASSERT_EQ(out[(n * kPixels + p) * channels + c], in[(n * channels + c) * kPixels + p]);
        }
      }
    }
  }
}

TEST_P(MoveTest, SomeRowsFromPlain) {
  for (const int channels : {1, 3, 5}) {
    const Floats in = values(channels);
    constexpr int kFirst = 4, kSome = kPixels - 7;
    Floats out(static_cast<std::size_t>(kSome * channels));
    from_plain({.channels = channels,
                .pixels = kSome,
                .plane = kPixels,
                .input = in.data() + kFirst,
                .input_channels = channels,
                .output = out.data(),
                .output_stride = channels},
               pool_);
    for (int p = 0; p < kSome; ++p) {
      for (int c = 0; c < channels; ++c) {
        ASSERT_EQ(out[p * channels + c], in[c * kPixels + kFirst + p]);
      }
    }
  }
}

TEST_P(MoveTest, SegmentsFromPlain) {
  const int a = vector_lanes() + 1;
  const int b = 3;
  const Floats in = values(a + b);
  Map x(kBatch, kPixels, {a, b});
  for (int s = 0, plane = 0; s < 2; plane += x.channels[s++]) {
    from_plain({.batch = kBatch,
                .channels = x.channels[s],
                .pixels = kPixels,
                .plane = kPixels,
                .input = in.data() + plane * kPixels,
                .input_channels = a + b,
                .output = x.buffer.data() + x.offsets[s],
                .output_stride = x.stride},
               pool_);
  }
  EXPECT_EQ(x.plain(), in);
}

TEST_P(MoveTest, GatherChannels) {
  for (int channels = 1; channels <= 2 * vector_lanes() + 1; ++channels) {
    const Floats in = values(channels);
    Map x(kBatch, kPixels, {channels}, 0);
    Map y(kBatch, kPixels, {channels});
    x.fill(in);
    std::vector<std::int32_t> sources(static_cast<std::size_t>(round_up(channels, vector_lanes())));
    for (int c = 0; c < channels; ++c) sources[c] = (7 * c + 3) % channels;
    gather_channels({.pixels = kBatch * kPixels,
                     .sources = sources,
                     .input = x.buffer.data(),
                     .input_stride = x.stride,
                     .output = y.buffer.data(),
                     .output_stride = y.stride},
                    pool_);
    sources.resize(static_cast<std::size_t>(channels));
    EXPECT_EQ(y.plain(), reference::gather_channels({kBatch, channels, kPixels}, in, sources));
  }
}

TEST_P(MoveTest, ConcatAndSegmentsBackToPlain) {
  const int a = vector_lanes() + 1;
  const int b = 3;
  const Floats in = values(a + b);
  Map wanted(kBatch, kPixels, {a, b});
  wanted.fill(in);
  Map joined(kBatch, kPixels, {a, b}, 0);
  for (int s = 0; s < 2; ++s) {
    copy_channels({.pixels = kBatch * kPixels,
                   .channels = joined.channels[s],
                   .input = wanted.buffer.data() + wanted.offsets[s],
                   .input_stride = wanted.stride,
                   .output = joined.buffer.data() + joined.offsets[s],
                   .output_stride = joined.stride},
                  pool_);
  }
  EXPECT_EQ(joined.plain(), in);
  Floats back(in.size());
  for (int s = 0, plane = 0; s < 2; plane += joined.channels[s++]) {
    to_plain({.batch = kBatch,
              .channels = joined.channels[s],
              .pixels = kPixels,
              .input = joined.buffer.data() + joined.offsets[s],
              .input_stride = joined.stride,
              .output = back.data() + plane * kPixels,
              .output_channels = a + b},
             pool_);
  }
  EXPECT_EQ(back, in);
}

TEST_P(MoveTest, FlattenGivesTheOrderOfNchw) {
  const int a = vector_lanes() + 1;
  const int b = 2;
  const Floats in = values(a + b);
  Map x(kBatch, kPixels, {a, b});
  x.fill(in);
  const FlattenSegment segments[] = {{x.offsets[0], a, 0}, {x.offsets[1], b, a * kPixels}};
  Floats out(in.size());
  flatten({.batch = kBatch,
           .pixels = kPixels,
           .input = x.buffer.data(),
           .input_stride = x.stride,
           .segments = segments,
           .output = out.data(),
           .output_stride = (a + b) * kPixels},
          pool_);
  EXPECT_EQ(out, in);
}

}  // namespace
}  // namespace concertina::kernels
