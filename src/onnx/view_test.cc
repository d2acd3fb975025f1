#include "onnx/view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace concertina::onnx {
namespace {

using ::testing::ElementsAre;

View reshaped(const View& view, std::vector<int> sizes) {
  auto result = view.reshaped(sizes);
  EXPECT_TRUE(result) << result.error().message;
  return result ? *result : view;
}

View transposed(const View& view, std::vector<int> order) {
  return view.transposed(order);
}

TEST(View, AMapIsFlattenedChannelsFirst) {
  const View map = View::map({6, 2, 3});
  EXPECT_TRUE(map.is_map());
  EXPECT_FALSE(map.is_flat());
  const View flat = reshaped(map, {36});
  EXPECT_TRUE(flat.is_flat());
  EXPECT_FALSE(flat.is_vector());
  EXPECT_TRUE(reshaped(flat, {6, 2, 3}).is_map());
  EXPECT_FALSE(reshaped(flat, {6, 6}).is_map());
}

TEST(View, OnesComeAndGo) {
  const View vector = View::vector({6, 1, 1});
  EXPECT_TRUE(vector.is_vector());
  EXPECT_TRUE(reshaped(vector, {6, 1, 1}).is_map());
  EXPECT_TRUE(reshaped(View::map({6, 1, 1}), {6}).is_vector());
  EXPECT_FALSE(reshaped(vector, {1, 6, 1}).is_map());
}

TEST(View, AShuffleIsAMatrixOfChannelsTurned) {
  const View matrix = reshaped(View::map({6, 2, 2}), {2, 3, 2, 2});
  const View turned = transposed(matrix, {1, 0, 2, 3});
  EXPECT_THAT(turned.sizes(), ElementsAre(3, 2, 2, 2));
  const View shuffled = reshaped(turned, {6, 2, 2});
  EXPECT_FALSE(shuffled.is_map());
  EXPECT_EQ(shuffled.shuffled_groups(), 2);
  EXPECT_EQ(reshaped(matrix, {6, 2, 2}).shuffled_groups(), std::nullopt);
}

TEST(View, PixelsFirstFlattenedHasAnOrder) {
  const View flat = reshaped(transposed(View::map({2, 1, 3}), {1, 2, 0}), {6});
  EXPECT_FALSE(flat.is_flat());
  EXPECT_THAT(*flat.flat_order(), ElementsAre(0, 3, 1, 4, 2, 5));
  EXPECT_EQ(transposed(View::map({2, 1, 3}), {1, 2, 0}).flat_order(), std::nullopt);
}

TEST(View, RowsAndColumnsTogetherArePixels) {
  const View map = View::map({6, 2, 3});
  const int all[] = {1, 2}, rows[] = {1}, joined_axis[] = {1}, channels[] = {0, 1, 2};
  EXPECT_TRUE(map.are_pixels(all));
  EXPECT_FALSE(map.are_pixels(rows));
  EXPECT_FALSE(map.are_pixels(channels));
  const int first[] = {0};
  EXPECT_TRUE(map.are_channels(first));
  EXPECT_FALSE(map.are_channels(rows));
  EXPECT_FALSE(map.are_channels(channels));
  const View joined = reshaped(map, {6, 6});
  EXPECT_TRUE(joined.are_pixels(joined_axis));
  EXPECT_TRUE(map.pooled(all, true).is_map());
  EXPECT_TRUE(map.pooled(all, false).is_vector());
}

TEST(View, CutsAcrossAxesAreRefused) {
  EXPECT_FALSE(View::map({6, 2, 3}).reshaped(std::vector<int>{4, 9}));
  EXPECT_FALSE(View::map({6, 2, 3}).reshaped(std::vector<int>{6, 2}));
  EXPECT_FALSE(View::map({6, 2, 3}).reshaped(std::vector<int>{6, 2, 3, 2}));
  EXPECT_FALSE(View::map({6, 2, 3}).reshaped(std::vector<int>{0, 2, 3}));
  EXPECT_TRUE(View::map({6, 2, 3}).reshaped(std::vector<int>{3, 4, 3}));
}

}  // namespace
}  // namespace concertina::onnx
