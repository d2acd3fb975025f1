#include "simulation/trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "testing/temporary_folder.h"

namespace concertina::simulation {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string error_of(std::string_view text) {
  const auto trace = parse_trace(text);
  return trace ? "" : trace.error().message;
}

TEST(Trace, ReadsNumbersCommentsAndEmptyLines) {
  EXPECT_THAT(*parse_trace("# seconds\n0\n\n  0.25 # a comment\r\n0.25\n1e1"),
              ElementsAre(0s, 250ms, 250ms, 10s));
}

TEST(Trace, ErrorsNameTheLine) {
  for (const char* bad : {"x", "1 2", "-1", "nan", "inf", "1e10", "0x1", "1e999", "+1"})
    EXPECT_THAT(error_of(std::string("#\n0\n") + bad), HasSubstr("line 3 is not a time of arrival")) << bad;
  EXPECT_THAT(error_of("1\n2\n1.5\n"), HasSubstr("line 3 is earlier"));
}

TEST(Trace, RefusesOneWithoutArrivals) {
  EXPECT_THAT(error_of(""), HasSubstr("holds no time"));
  EXPECT_THAT(error_of("# nothing\n\n"), HasSubstr("holds no time"));
}

TEST(Trace, RefusesMoreThanItsLimit) {
  std::string text;
  for (int i = 0; i <= kMaxRequests; ++i) text += "1\n";
  EXPECT_THAT(error_of(text), HasSubstr("line 10000001 is one more"));
}

TEST(Trace, OfAFileNamesItInErrors) {
  EXPECT_THAT(read_trace("/nowhere/trace.txt").error().message, HasSubstr("/nowhere/trace.txt"));
  const testing::TestFolder folder;
  const auto path = folder.write("descending.txt", "2\n1\n");
  EXPECT_THAT(read_trace(path).error().message, HasSubstr("descending.txt': line 2"));
}

TEST(Trace, RefusesAFileTooLargeToBeOne) {
  const testing::TestFolder folder;
  const auto path = folder.write("sparse.txt", "1\n");
  std::filesystem::resize_file(path, (std::uintmax_t{1} << 30) + 1);
  EXPECT_THAT(read_trace(path).error().message, HasSubstr("larger than 1 GiB"));
}

TEST(Trace, AWindowBeginsAtZero) {
  const std::vector<Time> arrivals = {1s, 2s, 4s, 7s};
  EXPECT_THAT(window(arrivals, 1, 2), ElementsAre(0s, 2s));
  EXPECT_THAT(window(arrivals, 2, 100), ElementsAre(0s, 3s));
}

TEST(Trace, IsScaledToARate) {
  const std::vector<Time> arrivals = {1s, 2s, 5s};
  EXPECT_DOUBLE_EQ(mean_rate(arrivals), 0.5);
  const auto scaled = scale_to_rate(arrivals, 5);
  EXPECT_THAT(*scaled, ElementsAre(0s, 100ms, 400ms));
  EXPECT_DOUBLE_EQ(mean_rate(*scaled), 5);
}

TEST(Trace, WithoutARateIsNotScaled) {
  EXPECT_EQ(mean_rate({}), 0);
  EXPECT_THAT(scale_to_rate(std::vector<Time>{3s}, 5).error().message, HasSubstr("at one moment"));
  EXPECT_THAT(scale_to_rate(std::vector<Time>{3s, 3s}, 5).error().message, HasSubstr("at one moment"));
  EXPECT_THAT(scale_to_rate(std::vector<Time>{3s, 4s}, 1e-10).error().message, HasSubstr("too long"));
}

}  // namespace
}  // namespace concertina::simulation
