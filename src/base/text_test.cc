#include "base/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace concertina {
namespace {

TEST(Split, LeavesOutEmptyParts) {
  EXPECT_THAT(split("a bc  d ", ' '), ::testing::ElementsAre("a", "bc", "d"));
  EXPECT_THAT(split(" ", ' '), ::testing::IsEmpty());
  EXPECT_THAT(split("", ' '), ::testing::IsEmpty());
}

TEST(NearestName, CorrectsATypo) {
  const std::vector<std::string> names = {"search.groups", "search.images", "select.subnets"};
  EXPECT_EQ(nearest_name("search.group", names), "search.groups");
  EXPECT_EQ(nearest_name("serach.imagse", names), "search.images");
  EXPECT_EQ(nearest_name("subnets", names), "select.subnets");
}

TEST(ParseNumber, TakesTheWholeText) {
  EXPECT_EQ(parse_number<int>("-12"), -12);
  EXPECT_EQ(parse_number<double>("2.5e-1"), 0.25);
  for (const char* text : {"", " 1", "1 ", "+1", "1x", "1.5", "2147483648", "0x1"})
    EXPECT_EQ(parse_number<int>(text), std::nullopt) << text;
  for (const char* text : {"", "-", "1e", "1,5", "1e999"})
    EXPECT_EQ(parse_number<double>(text), std::nullopt) << text;
}

TEST(Shown, IsShortAndOnOneLine) {
  EXPECT_EQ(shown("a\n\x1b\x7f z"), "a??? z");
  EXPECT_EQ(shown(std::string(1000, 'x')), std::string(64, 'x'));
}

}  // namespace
}  // namespace concertina
