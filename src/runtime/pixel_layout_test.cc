#include "runtime/pixel_layout.h"

#include <gtest/gtest.h>

namespace concertina::runtime {
namespace {

constexpr int kLanes = 8;

/// Dimensions of 12 and 20 channels, and a locked one of 5.
ChannelLayout channels() {
  ChannelLayout layout;
  for (const int count : {12, 20, 5}) layout.dimensions.emplace_back().channels = count;
  layout.free_dimensions = 2;
  return layout;
}

std::vector<std::vector<int>> numbers(const std::vector<Move>& list) {
  std::vector<std::vector<int>> all;
  for (const Move& move : list) all.push_back({move.from, move.to, move.count});
  return all;
}

TEST(PixelLayout, SegmentsStartAtWholeVectors) {
  const Value value{.axis = {{0, 1}, {1, 4}, {2, 1}}, .spare = true};
  const PixelLayout layout = pixel_layout(channels(), value, {{9, 3}}, kLanes);
  ASSERT_EQ(layout.segments.size(), 3U);
  EXPECT_EQ(layout.segments[0].count, 9);
  EXPECT_EQ(layout.segments[1].feature, 12);
  EXPECT_EQ(layout.segments[1].offset, 16);
  EXPECT_EQ(layout.segments[1].count, 12);
  EXPECT_EQ(layout.segments[2].feature, 92);
  EXPECT_EQ(layout.segments[2].offset, 32);
  EXPECT_EQ(layout.size, 40);
  EXPECT_EQ(layout.stride, 48);
}

TEST(PixelLayout, ADensePixelEndsWithItsLastFeature) {
  const PixelLayout layout = pixel_layout(channels(), {.axis = {{2, 1}}, .dense = true}, {{12, 20}}, kLanes);
  EXPECT_EQ(layout.size, 5);
  EXPECT_EQ(layout.stride, 5);
}

TEST(PixelLayout, PixelsAreNotAKilobyteApart) {
  const Value map{.axis = {{0, 32}, {1, 16}}, .height = 2, .width = 2};
  EXPECT_EQ(pixel_layout(channels(), map, {{8, 16}}, kLanes).size, 512);
  EXPECT_EQ(pixel_layout(channels(), map, {{8, 16}}, kLanes).stride, 512 + kLanes);
  EXPECT_EQ(pixel_layout(channels(), map, {{8, 20}}, kLanes).stride, 576);
  const Value single{.axis = map.axis};
  EXPECT_EQ(pixel_layout(channels(), single, {{8, 16}}, kLanes).stride, 512);
}

TEST(PixelLayout, JoinedSegmentsAreOne) {
  const Value value{.axis = {{0, 1}, {2, 1}}, .joined = true};
  const PixelLayout layout = pixel_layout(channels(), value, {{12, 20}}, kLanes);
  ASSERT_EQ(layout.segments.size(), 1U);
  EXPECT_EQ(layout.segments[0].count, 17);
  EXPECT_EQ(layout.size, 24);
}

TEST(PixelLayout, MovesCutWhereEitherSideDoes) {
  const PixelLayout a{.segments = {{0, 0, 5}, {5, 8, 7}}};
  const PixelLayout b{.segments = {{0, 0, 7}, {7, 8, 5}}};
  EXPECT_EQ(numbers(moves(a, b)), (std::vector<std::vector<int>>{{0, 0, 5}, {8, 5, 2}, {10, 8, 5}}));
}

TEST(PixelLayout, SameLayoutComparesFeaturesPerSegment) {
  const ChannelLayout layout = channels();
  EXPECT_TRUE(same_layout(layout, {.axis = {{1, 3}}}, {.axis = {{0, 5}}}));
  EXPECT_FALSE(same_layout(layout, {.axis = {{0, 1}, {2, 1}}}, {.axis = {{2, 1}, {0, 1}}}));
  EXPECT_FALSE(same_layout(layout, {.axis = {{0, 1}, {2, 1}}}, {.axis = {{0, 1}, {2, 1}}, .joined = true}));
}

}  // namespace
}  // namespace concertina::runtime
