#include "concertina/subnet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace concertina {
namespace {

TEST(Subnet, IsReadAsItIsWritten) {
  const Subnet subnet{{16, 12, 32}};
  EXPECT_EQ(to_string(subnet), "16-12-32");
  EXPECT_EQ(*parse_subnet("16-12-32"), subnet);
  EXPECT_EQ(*parse_subnet("16-0-32"), (Subnet{{16, 0, 32}}));
  const Subnet small{{16, 12}, 24};
  EXPECT_EQ(to_string(small), "16-12@24");
  EXPECT_EQ(*parse_subnet("16-12@24"), small);
}

TEST(Subnet, RefusesWhatIsNoListOfWidths) {
  for (const char* text : {"", "-", "16-", "-16", "16--8", "16-a", "16 8", "99999999999", "16@", "@24",
                           "16@0", "16@-8", "16@24@24", "16@24-8", "16-@24"}) {
    const auto parsed = parse_subnet(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(parsed.error().message, ::testing::HasSubstr("16-12-32"));
  }
}

TEST(Subnet, NestingComparesEveryWidth) {
  EXPECT_TRUE(is_nested({{4, 8}}, {{4, 8}}));
  EXPECT_TRUE(is_nested({{4, 7}}, {{4, 8}}));
  EXPECT_FALSE(is_nested({{3, 9}}, {{4, 8}}));
  EXPECT_FALSE(is_nested({{4}}, {{4, 8}}));
}

TEST(Subnet, NestingComparesTheResolutionToo) {
  EXPECT_TRUE(is_nested({{4}, 24}, {{4}}));
  EXPECT_TRUE(is_nested({{4}, 24}, {{4}, 24}));
  EXPECT_FALSE(is_nested({{4}}, {{4}, 24}));
  EXPECT_FALSE(is_nested({{4}, 28}, {{4}, 24}));
}

}  // namespace
}  // namespace concertina
