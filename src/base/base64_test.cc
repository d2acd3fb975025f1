#include "base/base64.h"

#include <gtest/gtest.h>

#include <cstring>

namespace concertina {
namespace {

TEST(Base64, IsThatOfTheRfc) {
  EXPECT_EQ(to_base64(""), "");
  EXPECT_EQ(to_base64("f"), "Zg==");
  EXPECT_EQ(to_base64("fo"), "Zm8=");
  EXPECT_EQ(to_base64("foo"), "Zm9v");
  EXPECT_EQ(to_base64("foobar"), "Zm9vYmFy");
  std::string bytes;
  for (int i = 0; i < 256; ++i) {
    EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
    bytes += static_cast<char>(i);
  }
}

TEST(Base64, RefusesWhatIsNone) {
  for (const char* text :
       {"Z", "Zg=", "Zg", "Z===", "====", "Zh==", "Zm9=", "Zg==Zg==", "Zm9 ", "Zm\n9", "=Zg="}) {
    EXPECT_EQ(from_base64(text), std::nullopt) << text;
  }
}

TEST(LittleEndian, KeepsEveryBit) {
  const std::vector<float> values = {1.0F, -0.0F, 1e-45F, 3.4e38F};
  const std::string bytes = to_little_endian(values);
  EXPECT_EQ(bytes.substr(0, 4), std::string("\0\0\x80\x3f", 4));
  const std::vector<float> back = from_little_endian(bytes);
  ASSERT_EQ(back.size(), values.size());
  EXPECT_EQ(std::memcmp(back.data(), values.data(), bytes.size()), 0);
}

}  // namespace
}  // namespace concertina
