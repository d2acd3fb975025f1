#include "search/trajectory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"

namespace concertina::search {
namespace {

using ::testing::HasSubstr;

TrajectoryStep example() {
  return {.step = 3,
          .subnet = {{16, 12, 4}},
          .evaluation = {0.1 + 0.2, 1.0 / 3},
          .cost = 1e-300,
          .macs = std::int64_t{1} << 62,
          .parameters = 7,
          .weights_version = 2,
          .before_fine_tuning = Evaluation{2.5, 0.1},
          .evaluations = 11,
          .scores = {0.1, std::nullopt, -1e-17}};
}

TEST(TrajectoryStep, IsReadAsItWasWritten) {
  TrajectoryStep step = example();
  EXPECT_EQ(*parse_trajectory_step(to_json(step)), step);
  step.before_fine_tuning.reset();
  EXPECT_EQ(*parse_trajectory_step(to_json(step)), step);
}

TEST(TrajectoryStep, NamesTheMemberThatIsWrong) {
  const std::string line = to_json(example());
  const auto error = [&](std::string from, std::string to) {
    std::string broken = line;
    broken.replace(broken.find(from), from.size(), to);
    const auto step = parse_trajectory_step(broken);
    return step ? "no error" : step.error().message;
  };
  EXPECT_THAT(error("\"step\":3", "\"step\":-3"), HasSubstr("step must be a whole number from 0"));
  EXPECT_THAT(error("\"step\":3", "\"step\":3000000000"), HasSubstr("step must be a whole number from 0"));
  EXPECT_THAT(error("16-12-4", "16-12-"), HasSubstr("subnet must be a list of widths"));
  EXPECT_THAT(error("\"loss\":", "\"lass\":"), HasSubstr("evaluation.loss is missing"));
  EXPECT_THAT(error("0.3333333333333333", "1.3333"), HasSubstr("sub-net 16-12-4"));
  EXPECT_THAT(error("null", "\"\""), HasSubstr("scores[1] must be a number"));
  EXPECT_THAT(error("1e-300", "1e999"), HasSubstr("it is not JSON"));
}

// Whatever the bytes are, they are refused or they are a step.
TEST(TrajectoryStep, SurvivesAnyBytes) {
  const CounterRandom random(1);
  std::uint64_t counter = 0;
  const auto below = [&](std::size_t n) { return random.below(n, counter++); };
  const auto check = [](const std::string& bytes) {
    const auto step = parse_trajectory_step(bytes);
    if (step) {
      EXPECT_EQ(*parse_trajectory_step(to_json(*step)), *step) << bytes;
    }
  };
  for (int round = 0; round < 3000; ++round) {
    std::string noise(below(60), '\0');
    for (char& c : noise) c = static_cast<char>(below(256));
    check(noise);
    std::string damaged = to_json(example());
    for (std::uint64_t n = 1 + below(3); n > 0; --n) {
      constexpr std::string_view kLikely = "\"{}[],:-+.eE019nulltrue\\\xff";
      damaged[below(damaged.size())] = kLikely[below(kLikely.size())];
    }
    check(damaged);
    check(damaged.substr(0, below(damaged.size())));
  }
  check(std::string(200'000, '['));
  check("{\"scores\":" + std::string(200'000, '[') + std::string(200'000, ']') + "}");
}

}  // namespace
}  // namespace concertina::search
