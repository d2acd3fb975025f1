#include "search/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "testing/temporary_folder.h"

namespace concertina::search {
namespace {

using ::testing::HasSubstr;

class JournalTest : public ::testing::Test {
 protected:
  static TrajectoryStep step(int number) {
    return {.step = number,
            .subnet = {{16 - number, 8}},
            .evaluation = {0.5, 0.25},
            .cost = 1.0,
            .scores = {0.5, {}}};
  }
  void write_three() {
    Journal journal = *Journal::open(path_, fingerprint_);
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(journal.append(step(i)));
  }
  std::string refusal(const Fingerprint& fingerprint) const {
    const auto journal = Journal::open(path_, fingerprint);
    return journal ? "no error" : journal.error().message;
  }

  const Fingerprint fingerprint_ = {{"context", "net.onnx"}, {"groups", "4-4"}};
  const testing::TestFolder folder_;
  const std::filesystem::path path_ = folder_ / "search.jsonl";
};

TEST_F(JournalTest, KeepsSteps) {
  write_three();
  const Journal journal = *Journal::open(path_, fingerprint_);
  EXPECT_EQ(journal.steps(), (std::vector<TrajectoryStep>{step(0), step(1), step(2)}));
}

TEST_F(JournalTest, ForgetsAnIncompleteLastLine) {
  write_three();
  const std::string whole = *read_file(path_);
  const std::size_t begin = whole.rfind('\n', whole.size() - 2) + 1;
  for (std::size_t size = begin; size < whole.size(); ++size) {
    ASSERT_TRUE(write_file(path_, whole.substr(0, size)));
    Journal journal = *Journal::open(path_, fingerprint_);
    ASSERT_EQ(journal.steps().size(), 2u) << size;
    ASSERT_TRUE(journal.append(step(2)));
    ASSERT_EQ(*read_file(path_), whole) << size;
  }
}

TEST_F(JournalTest, StartsAnewFromAnIncompleteHeader) {
  ASSERT_TRUE(Journal::open(path_, fingerprint_));
  const std::string header = *read_file(path_);
  for (const std::size_t size : {std::size_t{0}, std::size_t{5}, header.size() - 1}) {
    ASSERT_TRUE(write_file(path_, header.substr(0, size)));
    EXPECT_TRUE(Journal::open(path_, fingerprint_)->steps().empty());
    EXPECT_EQ(*read_file(path_), header);
  }
}

TEST_F(JournalTest, SaysWhatDiffersFromAnotherSearch) {
  write_three();
  const std::string before = *read_file(path_);
  EXPECT_THAT(refusal({{"context", "net.onnx"}, {"groups", "8-8"}}),
              HasSubstr("groups is \"4-4\", not \"8-8\""));
  EXPECT_THAT(refusal({{"context", "net.onnx"}, {"groups", "4-4"}, {"new", "1"}}), HasSubstr("new is null"));
  EXPECT_THAT(refusal({{"context", "net.onnx"}}), HasSubstr("another version"));
  EXPECT_EQ(*read_file(path_), before);
}

TEST_F(JournalTest, LeavesOtherFilesAlone) {
  for (const std::string bytes :
       {"a diary", "a diary\nof two lines\n", "{\"concertina\":1}\n", "\n\n", "[1]"}) {
    ASSERT_TRUE(write_file(path_, bytes));
    EXPECT_THAT(refusal(fingerprint_), HasSubstr("is not a search journal")) << bytes;
    EXPECT_EQ(*read_file(path_), bytes);
  }
}

TEST_F(JournalTest, SaysWhichLineIsDamaged) {
  write_three();
  std::string bytes = *read_file(path_);
  bytes.replace(bytes.find("\"step\":1"), 8, "\"step\":9");
  ASSERT_TRUE(write_file(path_, bytes));
  EXPECT_THAT(refusal(fingerprint_), HasSubstr("line 3 of"));
  EXPECT_THAT(refusal(fingerprint_), HasSubstr("it should be step 1"));

  bytes.replace(bytes.find("\"step\":9"), 8, "\"stop\":1");
  ASSERT_TRUE(write_file(path_, bytes));
  EXPECT_THAT(refusal(fingerprint_), HasSubstr("line 3 of"));
  EXPECT_THAT(refusal(fingerprint_), HasSubstr("step is missing"));
}

TEST_F(JournalTest, TakesNamesThatAreNoText) {
  const Fingerprint strange = {{"context", "\xff\xfe\n\""}};
  ASSERT_TRUE(Journal::open(path_, strange)->append(step(0)));
  EXPECT_EQ(Journal::open(path_, strange)->steps().size(), 1u);
}

TEST_F(JournalTest, SaysThatItCannotWrite) {
  ASSERT_TRUE(write_file(path_, ""));
  const auto journal = Journal::open(path_ / "below a file", fingerprint_);
  ASSERT_FALSE(journal);
  EXPECT_THAT(journal.error().message, HasSubstr("below a file"));
}

}  // namespace
}  // namespace concertina::search
