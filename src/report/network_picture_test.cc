#include "report/network_picture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace concertina::report {
namespace {

using ::testing::HasSubstr;

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(NetworkPicture, ShowsEveryNodeConnectionAndSegment) {
  const NetworkPicture picture{
      .title = "a <net>",
      .nodes = {{"x", "Input", "3x4x4", {}, {{1, 3}}},
                {"a", "Conv", "8x4x4", {0}, {{0, 8}}},
                {"b", "Concat", "11x4x4", {1, 0}, {{0, 8}, {1, 3}}}},
      .dimensions = {{"a", 8, false, 0.25, {"because & so"}}, {"x", 3, true, 0, {"input"}}}};
  const std::string html = to_html(picture);
  EXPECT_THAT(html, HasSubstr("<h1>a &lt;net&gt;</h1>"));
  EXPECT_EQ(count(html, "<circle"), 3u);
  EXPECT_EQ(count(html, "<path"), 3u);
  EXPECT_EQ(count(html, "<rect"), 4u);
  EXPECT_THAT(html, HasSubstr("25.0 %"));
  EXPECT_THAT(html, HasSubstr("because &amp; so"));
  EXPECT_THAT(html, HasSubstr("a: 8 features</title>"));
  EXPECT_THAT(html, HasSubstr("x: 3 features, locked</title>"));
  EXPECT_EQ(count(html, "#b0b0b0"), 3u);
}

}  // namespace
}  // namespace concertina::report
