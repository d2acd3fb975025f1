#include "report/line_plot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>

namespace concertina::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

int count(const std::string& text, const std::string& part) {
  int n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

TEST(LinePlot, DrawsEveryPointInsideItsFrame) {
  const LinePlot plot{
      "A & B", "MMAC", "top-1", {{"ours", {{1, 50, 2}, {10, 60, 0}}}, {"other", {{1, 40, 0}}}}};
  const std::string svg = to_svg({plot, plot});
  EXPECT_EQ(count(svg, "<circle"), 6);
  EXPECT_EQ(count(svg, "<polyline"), 4);
  EXPECT_EQ(count(svg, ">ours<"), 1);  // one legend
  EXPECT_THAT(svg, HasSubstr("A &amp; B"));
  const std::regex circle("cx=\"([0-9.]+)\" cy=\"([0-9.]+)\"");
  for (std::sregex_iterator it(svg.begin(), svg.end(), circle), end; it != end; ++it) {
    EXPECT_GE(std::stod((*it)[1]), 64);
    EXPECT_LE(std::stod((*it)[1]), 2 * 520 - 16);
    EXPECT_GE(std::stod((*it)[2]), 40);
    EXPECT_LE(std::stod((*it)[2]), 400 - 56);
  }
}

TEST(LinePlot, HigherValuesStandHigher) {
  const std::string svg = to_svg({{"t", "x", "y", {{"a", {{1, 1, 0}, {2, 2, 0}}}}}});
  const std::regex circle("cx=\"([0-9.]+)\" cy=\"([0-9.]+)\"");
  std::sregex_iterator first(svg.begin(), svg.end(), circle), second = std::next(first);
  EXPECT_LT(std::stod((*first)[1]), std::stod((*second)[1]));
  EXPECT_GT(std::stod((*first)[2]), std::stod((*second)[2]));
}

TEST(LinePlot, ManySeriesAreToldApartAndNamedInside) {
  LinePlot plot{"t", "x", "y", {}};
  for (int i = 0; i < 26; ++i)
    plot.series.push_back({"arm" + std::to_string(i), {{1, 1.0 * i, 0}, {2, 2.0 * i, 0}}});
  const std::string svg = to_svg({plot, plot});
  const std::regex name("<text x=\"([0-9.-]+)\" y=\"([0-9.-]+)\" fill=\"#[0-9a-f]+\">arm");
  int names = 0;
  for (std::sregex_iterator it(svg.begin(), svg.end(), name), end; it != end; ++it, ++names) {
    EXPECT_GT(std::stod((*it)[1]), 2 * 520);
    EXPECT_LT(std::stod((*it)[1]), 2 * 520 + 220 - 100);
    EXPECT_GT(std::stod((*it)[2]), 0);
    EXPECT_LT(std::stod((*it)[2]), 400);
  }
  EXPECT_EQ(names, 26);
  const std::regex style("<polyline [^>]*fill=\"none\" ([^>]*)/>");
  std::set<std::string> styles;
  for (std::sregex_iterator it(svg.begin(), svg.end(), style), end; it != end; ++it) styles.insert((*it)[1]);
  EXPECT_EQ(styles.size(), 26u);
}

TEST(LinePlot, OfNothingOrOfOnePointIsStillAPicture) {
  for (const LinePlot& plot : {LinePlot{"t", "x", "y", {}}, LinePlot{"t", "x", "y", {{"a", {{3, 7, 0}}}}}}) {
    const std::string svg = to_svg({plot});
    EXPECT_THAT(svg, HasSubstr("</svg>"));
    EXPECT_THAT(svg, Not(HasSubstr("nan")));
    EXPECT_THAT(svg, Not(HasSubstr("inf")));
  }
}

}  // namespace
}  // namespace concertina::report
