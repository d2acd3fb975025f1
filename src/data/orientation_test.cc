#include "data/orientation.h"

#include <gmock/gmock.h>

#include "testing/image_files.h"

namespace concertina::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A block with the given orientation, behind another entry.
std::string exif(bool little, int orientation) {
  const auto number = [&](unsigned value, int size) {
    std::string bytes;
    for (int i = 0; i < size; ++i) bytes += static_cast<char>(value >> 8 * (little ? i : size - 1 - i));
    return bytes;
  };
  const auto entry = [&](unsigned tag, unsigned value) {
    return number(tag, 2) + number(3, 2) + number(1, 4) + number(value, 2) + number(0, 2);
  };
  return std::string("Exif\0\0", 6) + (little ? "II" : "MM") + number(42, 2) + number(8, 4) + number(2, 2) +
         entry(256, 6) + entry(274, static_cast<unsigned>(orientation)) + number(0, 4);
}

/// The file with the block right behind its first marker.
std::string with_block(const std::string& jpeg, const std::string& block) {
  const std::size_t size = block.size() + 2;
  return jpeg.substr(0, 2) + "\xff\xe1" + static_cast<char>(size >> 8) + static_cast<char>(size) + block +
         jpeg.substr(2);
}

TEST(Orientation, IsReadInBothByteOrders) {
  for (int orientation = 1; orientation <= 8; ++orientation) {
    EXPECT_EQ(exif_orientation(exif(true, orientation)), orientation);
    EXPECT_EQ(exif_orientation(exif(false, orientation)), orientation);
  }
}

TEST(Orientation, IsUprightIfInDoubt) {
  EXPECT_EQ(exif_orientation(exif(true, 0)), 1);
  EXPECT_EQ(exif_orientation(exif(true, 9)), 1);
  EXPECT_EQ(exif_orientation("http://ns.adobe.com/xap/1.0/"), 1);
  const std::string whole = exif(false, 6);
  for (std::size_t size = 0; size < whole.size() - 6; ++size)
    EXPECT_THAT(exif_orientation(whole.substr(0, size)), ::testing::AnyOf(1, 6)) << size;
  std::string far = exif(true, 6);
  far[6 + 4] = far[6 + 7] = '\xff';  // where the entries begin
  EXPECT_EQ(exif_orientation(far), 1);
}

// a b    stored in the eight ways in which a camera can be held
// c d
// e f
TEST(Orientation, TurnsTheImageAsItWasSeen) {
  const struct {
    int orientation, height, width;
    const char* stored;
  } ways[] = {{1, 3, 2, "abcdef"}, {2, 3, 2, "badcfe"}, {3, 3, 2, "fedcba"}, {4, 3, 2, "efcdab"},
              {5, 2, 3, "acebdf"}, {6, 2, 3, "bdface"}, {7, 2, 3, "fdbeca"}, {8, 2, 3, "ecafdb"}};
  for (const auto& [orientation, height, width, stored] : ways) {
    const std::string pixels = stored;
    const Image seen = turned_upright({height, width, 1, {pixels.begin(), pixels.end()}}, orientation);
    EXPECT_EQ(std::string(seen.pixels.begin(), seen.pixels.end()), "abcdef") << orientation;
    EXPECT_EQ(seen.height, 3) << orientation;
    EXPECT_EQ(seen.width, 2) << orientation;
  }
}

TEST(Orientation, OfAJpegFileIsApplied) {
  const std::string jpeg = testing::to_jpeg(testing::smooth_image(16, 24, 3));
  const Image plain = *decode_image(jpeg, "plain");
  const auto held = decode_image(with_block(jpeg, exif(true, 6)), "held");
  ASSERT_TRUE(held) << held.error().message;
  EXPECT_EQ(held->height, 24);
  EXPECT_EQ(held->width, 16);
  EXPECT_EQ(held->pixels, turned_upright(plain, 6).pixels);
}

TEST(Jpeg, WarningsThatTouchNoPixelAreNone) {
  const std::string jpeg = testing::to_jpeg(testing::smooth_image(16, 24, 3));
  const Image plain = *decode_image(jpeg, "plain");
  const std::string junk =
      jpeg.substr(0, jpeg.size() - 2) + std::string("junk\0\0", 6) + jpeg.substr(jpeg.size() - 2);
  const auto decoded = decode_image(junk, "junk");
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(decoded->pixels, plain.pixels);
  const std::size_t jfif = jpeg.find("JFIF");
  ASSERT_NE(jfif, std::string::npos);
  std::string version = jpeg;
  version[jfif + 5] = 3;
  EXPECT_EQ(decode_image(version, "version")->pixels, plain.pixels);
  EXPECT_THAT(decode_image(jpeg.substr(0, jpeg.size() / 2), "cut").error().message, HasSubstr("damaged"));
}

}  // namespace
}  // namespace concertina::data
