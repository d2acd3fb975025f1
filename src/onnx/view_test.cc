#include "onnx/view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace concertina::onnx {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

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
  const auto held = [](const View& view, std::span<const int> dimensions) {
    const auto axes = view.whole_axes(dimensions);
    return axes ? std::vector<bool>{axes->channels, axes->rows, axes->columns} : std::vector<bool>{};
  };
  EXPECT_THAT(held(map, all), ElementsAre(false, true, true));
  EXPECT_THAT(held(map, rows), ElementsAre(false, true, false));
  EXPECT_THAT(held(map, channels), ElementsAre(true, true, true));
  const View joined = reshaped(map, {6, 6});
  EXPECT_THAT(held(joined, joined_axis), ElementsAre(false, true, true));
  EXPECT_THAT(held(reshaped(map, {2, 3, 2, 3}), joined_axis), IsEmpty());
  EXPECT_TRUE(map.reduced(all, true).is_map());
  EXPECT_TRUE(map.reduced(all, false).is_vector());
  EXPECT_TRUE(map.reduced(all, true).repeats_to(map));
  EXPECT_TRUE(map.reduced(rows, true).repeats_to(map));
  EXPECT_FALSE(map.reduced(rows, false).repeats_to(map));
  EXPECT_FALSE(map.repeats_to(map.reduced(rows, true)));
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
