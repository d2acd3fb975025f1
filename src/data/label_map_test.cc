#include "data/label_map.h"

#include <gmock/gmock.h>
#include <png.h>

#include "testing/image_files.h"
#include "testing/temporary_folder.h"

namespace concertina::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class LabelMapTest : public ::testing::Test {
 protected:
  Result<Image> read(const std::string& bytes) const {
    folder_.write("map.png", bytes);
    return read_label_map(folder_ / "map.png");
  }
  std::string refusal(const std::string& bytes) const { return testing::error_of(read(bytes)); }

  const testing::TestFolder folder_;
};

TEST_F(LabelMapTest, ValuesAreClassesWhateverTheyLookLike) {
  const auto values = [&](int color_type, int bits, const std::vector<std::uint8_t>& rows) {
    const auto map = read(testing::to_png(2, 2, color_type, bits, rows));
    EXPECT_TRUE(map) << map.error().message;
    EXPECT_EQ(map->channels, 1);
    return map->pixels;
  };
  EXPECT_THAT(values(PNG_COLOR_TYPE_GRAY, 8, {0, 1, 20, 255}), ElementsAre(0, 1, 20, 255));
  EXPECT_THAT(values(PNG_COLOR_TYPE_GRAY, 4, {0x03, 0xf1}), ElementsAre(0, 3, 15, 1));
  EXPECT_THAT(values(PNG_COLOR_TYPE_GRAY, 1, {0x40, 0x80}), ElementsAre(0, 1, 1, 0));
  EXPECT_THAT(values(PNG_COLOR_TYPE_PALETTE, 8, {0, 1, 20, 255}), ElementsAre(0, 1, 20, 255));
  EXPECT_THAT(values(PNG_COLOR_TYPE_PALETTE, 2, {0x60, 0xc0}), ElementsAre(1, 2, 3, 0));
  EXPECT_THAT(values(PNG_COLOR_TYPE_GRAY, 16, {0, 0, 0, 1, 0, 20, 0, 255}), ElementsAre(0, 1, 20, 255));
  EXPECT_THAT(values(PNG_COLOR_TYPE_GRAY_ALPHA, 8, {0, 9, 1, 9, 20, 9, 255, 9}), ElementsAre(0, 1, 20, 255));
  EXPECT_THAT(values(PNG_COLOR_TYPE_RGB, 8, {0, 0, 0, 1, 1, 1, 20, 20, 20, 255, 255, 255}),
              ElementsAre(0, 1, 20, 255));
}

TEST_F(LabelMapTest, WhatHoldsNoClassesIsRefused) {
  EXPECT_THAT(refusal(testing::to_png(testing::smooth_image(4, 4, 3))), HasSubstr("is a picture in colours"));
  EXPECT_THAT(refusal(testing::to_png(1, 1, PNG_COLOR_TYPE_GRAY, 16, {1, 0})), HasSubstr("above 255"));
  EXPECT_THAT(refusal(testing::to_jpeg(testing::smooth_image(4, 4, 1))), HasSubstr("is no PNG"));
  EXPECT_THAT(refusal(testing::to_png(testing::smooth_image(9, 9, 1)).substr(0, 60)),
              HasSubstr("damaged image"));
  EXPECT_THAT(testing::error_of(read_label_map(folder_ / "none.png")), HasSubstr("none.png"));
}

LabelValues of(std::vector<std::uint8_t> map) {
  return values_of(map);
}

TEST(LabelValues, MasksInBlackAndWhiteAreOfTwoClasses) {
  EXPECT_TRUE(are_black_and_white(of({0, 255, 0})));
  EXPECT_FALSE(are_black_and_white(of({0, 1, 255})));
  EXPECT_FALSE(are_black_and_white(of({0, 0})));
  EXPECT_FALSE(are_black_and_white(of({255, 255})));
  std::vector<std::uint8_t> mask = {255, 0};
  number_black_and_white(mask);
  EXPECT_THAT(mask, ElementsAre(1, 0));
}

TEST(LabelValues, ClassesAreNamedByTheirNumbers) {
  EXPECT_THAT(*classes_of(of({0, 2, 255})), ElementsAre("0", "1", "2"));
  EXPECT_THAT(*classes_of(of({0, 255})), ElementsAre("0"));
  EXPECT_EQ(classes_of(of({254}))->size(), 255u);
  EXPECT_THAT(testing::error_of(classes_of(of({255}))), HasSubstr("no pixel of the label maps has a class"));
}

}  // namespace
}  // namespace concertina::data
