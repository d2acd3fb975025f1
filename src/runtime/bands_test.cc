#include "runtime/bands.h"

#include <gmock/gmock.h>

#include "base/random.h"

namespace concertina::runtime {
namespace {

using ::testing::ElementsAre;

kernels::WindowArgs window(int in_h, int kernel, int stride, int pad_top, int pad_bottom, int dilation = 1) {
  return {.in_h = in_h,
          .in_w = 7,
          .out_h = (in_h + pad_top + pad_bottom - (kernel - 1) * dilation - 1) / stride + 1,
          .out_w = 7,
          .kernel_h = kernel,
          .kernel_w = 1,
          .stride_h = stride,
          .pad_top = pad_top,
          .dilation_h = dilation};
}

TEST(Bands, RowsSeenLeaveThePaddingOut) {
  const kernels::WindowArgs same = window(8, 3, 1, 1, 1);
  EXPECT_EQ(rows_seen(same, {0, 1}), (Rows{0, 2}));
  EXPECT_EQ(rows_seen(same, {3, 5}), (Rows{2, 6}));
  EXPECT_EQ(rows_seen(same, {7, 8}), (Rows{6, 8}));
  EXPECT_EQ(rows_seen(window(9, 3, 2, 0, 1), {1, 3}), (Rows{2, 7}));
  EXPECT_EQ(rows_seen(window(9, 2, 1, 3, 3, 2), {0, 1}), (Rows{0, 0})) << "nothing but padding";
}

TEST(Bands, AWindowOfRowsHasThePaddingOfItsFirst) {
  const kernels::WindowArgs whole = window(8, 5, 1, 2, 2);
  const kernels::WindowArgs top = window_of_rows(whole, {0, 2}), middle = window_of_rows(whole, {3, 5});
  EXPECT_EQ(top.in_h, 4);
  EXPECT_EQ(top.out_h, 2);
  EXPECT_EQ(top.pad_top, 2);
  EXPECT_EQ(middle.in_h, 6);
  EXPECT_EQ(middle.pad_top, 0);
  EXPECT_EQ(window_of_rows(whole, {1, 2}).pad_top, 1);
}

TEST(Bands, RowsAtOnceAndTheBandThatFits) {
  const std::vector<BandLayer> layers = {{window(64, 3, 1, 1, 1), 4}, {window(64, 3, 2, 0, 1)}};
  EXPECT_THAT(rows_at_once(layers, 1), ElementsAre(3 + 6, 1));
  EXPECT_THAT(rows_at_once(layers, 32), ElementsAre(64, 32)) << "no more than there are";
  const std::vector<std::ptrdiff_t> row_floats = {100, 1};
  EXPECT_EQ(choose_band(layers, row_floats, 1), 1) << "at least one";
  EXPECT_EQ(choose_band(layers, row_floats, 1300), 3);
  EXPECT_EQ(choose_band(layers, row_floats, 1'000'000), 32);
}

/// Random chains: every row of the part is made, in order, from rows that are there.
TEST(Bands, MakeEveryRowOnceFromRowsThatAreThere) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    const CounterRandom random(seed);
    std::uint64_t drawn = 0;
    const auto draw = [&](int below) { return static_cast<int>(random.uniform(drawn++) * below); };
    std::vector<BandLayer> layers;
    int height = 20 + draw(40);
    for (int i = 0, count = 1 + draw(6); i < count && height > 4; ++i) {
      const int kernel = 1 + draw(4), stride = 1 + draw(2);
      const BandLayer layer{
          window(height, kernel, stride, draw(kernel), draw(kernel), 1 + draw(2) * (kernel == 3)),
          1 << draw(3)};
      if (layer.window.out_h < 1) break;
      layers.push_back(layer);
      height = layer.window.out_h;
    }
    if (layers.empty()) continue;
    const int tile_rows = layers.back().tile_rows;
    const int rows = tile_rows * (1 + draw(3));
    const int begin = draw(height / tile_rows + 1) * tile_rows;
    const Rows part{begin, std::min(height, begin + tile_rows * draw(8))};
    const std::vector<int> most = rows_at_once(layers, rows);
    std::vector<Rows> there;
    BandWalk walk(layers, rows, part);
    for (std::size_t i = 0; i < layers.size(); ++i) {
      there.push_back({walk.begin(i), walk.begin(i)});
      EXPECT_EQ(walk.begin(i) % layers[i].tile_rows, 0);
    }
    while (!walk.done()) {
      walk.next([&](std::size_t i, const BandWalk::Move& move) {
        EXPECT_GE(move.keep, there[i].begin);
        there[i].begin = move.keep;
        EXPECT_EQ(move.make.begin, there[i].end) << "the next ones";
        if (move.make.count() == 0) return;
        const bool ends_well =
            move.make.end % layers[i].tile_rows == 0 || move.make.end == layers[i].window.out_h;
        EXPECT_TRUE(ends_well || i + 1 == layers.size());
        if (i > 0) {
          const Rows seen = rows_seen(layers[i].window, move.make);
          if (seen.count() > 0) {
            EXPECT_GE(seen.begin, there[i - 1].begin);
            EXPECT_LE(seen.end, there[i - 1].end);
          }
        }
        there[i].end = move.make.end;
        EXPECT_TRUE(i + 1 == layers.size() || there[i].count() <= most[i]);
      });
    }
    EXPECT_GE(there.back().end, part.end);
  }
}

}  // namespace
}  // namespace concertina::runtime
