#include "report/network_picture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace concertina::report {
namespace {

using ::testing::HasSubstr;

std::size_t occurrences(const std::string& text, const std::string& part) {
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
  EXPECT_EQ(occurrences(html, "<circle"), 3u);
  EXPECT_EQ(occurrences(html, "<path"), 3u);
  EXPECT_EQ(occurrences(html, "<rect"), 4u);
  EXPECT_THAT(html, HasSubstr("25.0 %"));
  EXPECT_THAT(html, HasSubstr("because &amp; so"));
  EXPECT_THAT(html, HasSubstr("a: 8 features</title>"));
  EXPECT_THAT(html, HasSubstr("x: 3 features, locked</title>"));
  EXPECT_EQ(occurrences(html, "#b0b0b0"), 3u);
}

TEST(NetworkPicture, BarsAreRightOfEveryName) {
  const auto bar_of = [](std::string name) {
    const NetworkPicture picture{.title = "net",
                                 .nodes = {{"x", "Input", "3x4x4", {}, {{0, 3}}},
                                           {std::move(name), "Conv", "128x14x14", {0}, {{0, 3}}}},
                                 .dimensions = {{"a", 3, false, 0.25, {}}}};
    const std::string html = to_html(picture);
    return std::stod(html.substr(html.find("<rect x=\"") + 9));
  };
  const std::string name = "/layer2/layer2.0/downsample/downsample.0/Conv";
  // The text begins at 180, and 13 pixels of a sans-serif are at most 8 wide on average.
  EXPECT_GE(bar_of(name), 180 + 8.0 * static_cast<double>(("Conv " + name + " 128x14x14").size()));
  EXPECT_LT(bar_of("a"), bar_of(name));
}

}  // namespace
}  // namespace concertina::report
