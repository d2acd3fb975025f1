// The SLO files of examples/ and of docs/slo.md are read, and a plan is made for each.

#include <gtest/gtest.h>

#include "base/file.h"
#include "slo/testing.h"

namespace concertina::slo {
namespace {

const std::filesystem::path kRoot = CONCERTINA_SOURCE_DIR;

/// Eight sub-nets of 8 to 1 ms, as a small network has.
std::vector<Candidate> some_network() {
  std::vector<Candidate> candidates;
  for (int i = 0; i < 8; ++i) candidates.push_back(testing::make_candidate(i, 0.92 - 0.01 * i, 8 - i));
  return candidates;
}

void expect_plan(const std::string& text, const std::string& source) {
  const auto slo = Slo::parse(text, source);
  ASSERT_TRUE(slo) << slo.error().message;
  EXPECT_GE(slo->states.size(), 3u) << source;
  EXPECT_FALSE(slo->soft.empty()) << source;
  const Solution solution = solve(*slo, some_network());
  EXPECT_GE(solution.designs.size(), 2u) << source;
  for (std::size_t i = 0; i < slo->states.size(); ++i)
    EXPECT_TRUE(solution.outcomes[i].cost.feasible()) << source << ", " << slo->states[i].name;
}

TEST(SloExamples, ArePlans) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kRoot / "examples" / "slo")) {
    expect_plan(*read_file(entry.path()), entry.path().filename().string());
    ++files;
  }
  EXPECT_GE(files, 2);
}

TEST(SloExamples, TheOneInTheDocumentIsAPlan) {
  const std::string text = *read_file(kRoot / "docs" / "slo.md");
  const std::string fence = "```toml\n";
  const std::size_t begin = text.find(fence);
  ASSERT_NE(begin, std::string::npos);
  expect_plan(text.substr(begin + fence.size(), text.find("```", begin + 3) - begin - fence.size()),
              "docs/slo.md");
}

}  // namespace
}  // namespace concertina::slo
