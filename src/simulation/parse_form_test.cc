#include "simulation/parse_form.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace concertina::simulation {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::vector<Form> kForms = {{"none", {}}, {"step", {{"FACTOR", 1.8, 1, 10}, {"FROM", 0.5, 0, 1}}}};

TEST(ParseForm, TakesNumbersFromTheLeftAndDefaultsForTheRest) {
  EXPECT_EQ(parse_form("none", kForms, "thing")->index, 0u);
  EXPECT_THAT(parse_form("step", kForms, "thing")->numbers, ElementsAre(1.8, 0.5));
  EXPECT_THAT(parse_form("step:2", kForms, "thing")->numbers, ElementsAre(2, 0.5));
  EXPECT_THAT(parse_form("step:1e1:0", kForms, "thing")->numbers, ElementsAre(10, 0));
}

TEST(ParseForm, OffersTheNearestName) {
  EXPECT_THAT(parse_form("setp:2", kForms, "thing").error().message,
              HasSubstr("no thing 'setp'; did you mean 'step'?"));
  EXPECT_FALSE(parse_form("", kForms, "thing"));
}

TEST(ParseForm, RefusesWhatTheFormDoesNotTake) {
  EXPECT_THAT(parse_form("step:2:0:1", kForms, "thing").error().message, HasSubstr("step:FACTOR:FROM"));
  EXPECT_THAT(parse_form("none:", kForms, "thing").error().message, HasSubstr("more numbers"));
  for (const char* text : {"step:", "step:x", "step:2x", "step:nan", "step:inf", "step:0.5", "step:11"})
    EXPECT_THAT(parse_form(text, kForms, "thing").error().message, HasSubstr("from 1 to 10")) << text;
}

TEST(ParseAs, MakesWhatIsNamed) {
  const std::vector<FormOf<double>> all = {
      {kForms[0], [](std::span<const double>) { return 0.0; }},
      {kForms[1], [](std::span<const double> n) { return n[0] + n[1]; }}};
  EXPECT_EQ(*parse_as<double>("step:3", all, "thing"), 3.5);
  EXPECT_FALSE(parse_as<double>("steps", all, "thing"));
}

}  // namespace
}  // namespace concertina::simulation
