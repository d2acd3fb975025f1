#include "report/run_results.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/temporary_folder.h"

namespace concertina::report {
namespace {

using ::testing::HasSubstr;

const std::vector<MeasuredSubnet> kSubnets = {
    {.subnet = {{8, 16}}, .macs = 4e12, .parameters = 40, .accuracy = 2.0 / 3, .validation_accuracy = 0.9},
    {.subnet = {{4, 9}}, .macs = 2, .parameters = 20, .accuracy = 0.5, .validation_accuracy = 0.1}};

TEST(RunResults, AreReadAsTheyWereWritten) {
  const testing::TestFolder folder;
  const auto read = read_results(folder.write("results.json", to_json(kSubnets)));
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->size(), kSubnets.size());
  EXPECT_EQ(read->back().subnet, kSubnets.back().subnet);
  EXPECT_EQ(to_json(*read), to_json(kSubnets));
}

TEST(RunResults, HaveWholeNumbersOfMacsAndParameters) {
  EXPECT_EQ(to_json({kSubnets.back()}), R"([
 {
  "macs": 2,
  "parameters": 20,
  "test_accuracy": 0.5,
  "validation_accuracy": 0.1,
  "widths": "4-9"
 }
]
)");
}

TEST(RunResults, AreRefusedIfDamaged) {
  const testing::TestFolder folder;
  for (const char* text :
       {"", "[", "[3]", R"([{"widths": "4-9"}])",
        R"([{"widths": "4-x", "macs": 1, "parameters": 1, "test_accuracy": 1, "validation_accuracy": 1}])",
        R"([{"widths": "4", "macs": "1", "parameters": 1, "test_accuracy": 1, "validation_accuracy": 1}])"}) {
    const auto read = read_results(folder.write("results.json", text));
    ASSERT_FALSE(read) << text;
    EXPECT_THAT(read.error().message, HasSubstr("results.json' is damaged; delete its folder")) << text;
  }
  EXPECT_FALSE(read_results(folder / "none.json"));
}

TEST(RunResults, NameEachRanker) {
  EXPECT_EQ(to_json(std::vector<RankerQuality>{
                {.ranker = "l1", .channels = 0.5, .groups = -0.25, .by_dimension = {0.5}, .macs = 0}}),
            R"([
 {
  "ranker": "l1",
  "channels": 0.5,
  "groups": -0.25,
  "by_dimension": [
   0.5
  ],
  "macs": 0.0
 }
]
)");
}

}  // namespace
}  // namespace concertina::report
