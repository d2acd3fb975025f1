#include "data/image.h"

#include <gmock/gmock.h>
#include <png.h>

#include "testing/image_files.h"

namespace concertina::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

int largest_difference(const Image& a, const Image& b) {
  EXPECT_EQ(a.pixels.size(), b.pixels.size());
  int largest = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i)
    largest = std::max(largest, std::abs(a.pixels[i] - b.pixels[i]));
  return largest;
}

TEST(Image, ReadsPngExactly) {
  for (const int channels : {1, 3}) {
    const Image image = testing::smooth_image(13, 17, channels);
    const Image read = *decode_image(testing::to_png(image), "f");
    EXPECT_EQ(read.height, 13);
    EXPECT_EQ(read.width, 17);
    EXPECT_EQ(read.channels, channels);
    EXPECT_EQ(read.pixels, image.pixels);
    const int type = channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB;
    EXPECT_EQ(decode_image(testing::to_png(13, 17, type, 8, image.pixels, true), "f")->pixels, image.pixels);
  }
}

TEST(Image, ReadsEveryKindOfPng) {
  EXPECT_THAT(
      decode_image(testing::to_png(1, 2, PNG_COLOR_TYPE_GRAY, 16, {0x12, 0x00, 0xff, 0xff}), "f")->pixels,
      ElementsAre(0x12, 0xff));
  EXPECT_THAT(decode_image(testing::to_png(1, 3, PNG_COLOR_TYPE_GRAY, 1, {0b101'00000}), "f")->pixels,
              ElementsAre(255, 0, 255));
  EXPECT_THAT(decode_image(testing::to_png(1, 2, PNG_COLOR_TYPE_PALETTE, 4, {0x5f}), "f")->pixels,
              ElementsAre(5, 10, 15, 15, 30, 45));
  EXPECT_THAT(decode_image(testing::to_png({1, 1, 4, {1, 2, 3, 0}}), "f")->pixels, ElementsAre(1, 2, 3));
  EXPECT_THAT(decode_image(testing::to_png({1, 2, 2, {7, 0, 8, 9}}), "f")->pixels, ElementsAre(7, 8));
}

TEST(Image, ReadsJpegNearly) {
  for (const int channels : {1, 3}) {
    const Image image = testing::smooth_image(33, 47, channels);
    const Image read = *decode_image(testing::to_jpeg(image), "f");
    EXPECT_EQ(read.channels, channels);
    EXPECT_LE(largest_difference(read, image), 12);
  }
}

TEST(Image, TurnsCmykJpegIntoRgb) {
  Image cmyk{16, 16, 4, {}};
  for (int i = 0; i < 256; ++i) cmyk.pixels.insert(cmyk.pixels.end(), {200, 100, 50, 128});
  const Image read = *decode_image(testing::to_jpeg(cmyk), "f");
  ASSERT_EQ(read.channels, 3);
  EXPECT_NEAR(read.pixels[0], 200 * 128 / 255, 3);
  EXPECT_NEAR(read.pixels[1], 100 * 128 / 255, 3);
  EXPECT_NEAR(read.pixels[2], 50 * 128 / 255, 3);
}

TEST(Image, RefusesEveryShortFile) {
  const Image image = testing::smooth_image(16, 16, 3);
  for (const std::string& whole : {testing::to_png(image), testing::to_jpeg(image)}) {
    // The last two bytes of a JPEG only say that it ends.
    for (std::size_t size = 8; size + 2 < whole.size(); ++size) {
      const auto cut = decode_image(whole.substr(0, size), "f.img");
      EXPECT_THAT(testing::error_of(cut), HasSubstr("'f.img' is a damaged image")) << size;
    }
  }
}

TEST(Image, SeesFlippedBytesOfPng) {
  const std::string whole = testing::to_png(testing::smooth_image(16, 16, 3));
  for (std::size_t at = 8; at < whole.size(); ++at) {
    std::string flipped = whole;
    flipped[at] ^= 0x10;
    ASSERT_FALSE(decode_image(flipped, "f")) << at;
  }
}

TEST(Image, RefusesHugeImagesBeforeReadingThem) {
  std::string jpeg = testing::to_jpeg(testing::smooth_image(16, 16, 1));
  const std::size_t size = jpeg.find("\xff\xc0") + 5;  // height and width, two bytes each
  jpeg[size] = jpeg[size + 2] = '\x3f';
  EXPECT_THAT(testing::error_of(decode_image(jpeg, "f")),
              HasSubstr("16144 x 16144 pixels, above the limit of 64 Mpixel"));
  jpeg[size] = jpeg[size + 2] = '\x1f';
  EXPECT_THAT(testing::error_of(decode_image(jpeg, "f")), HasSubstr("cannot hold 7952 x 7952 pixels"));
}

TEST(Image, RefusesOtherFiles) {
  for (const char* bytes : {"", "\xff", "GIF89a", "BM"}) {
    EXPECT_THAT(testing::error_of(decode_image(bytes, "f")), HasSubstr("'f' is neither a JPEG nor a PNG"));
  }
}

TEST(Image, ExpandsGray) {
  EXPECT_THAT(to_rgb({1, 2, 1, {5, 9}}).pixels, ElementsAre(5, 5, 5, 9, 9, 9));
}

}  // namespace
}  // namespace concertina::data
