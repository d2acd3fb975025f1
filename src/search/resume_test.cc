// A search that is killed at any moment continues to the same trajectory.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "graph/networks/networks.h"
#include "search/fake_evaluator.h"
#include "search/progressive_search.h"
#include "testing/temporary_folder.h"

namespace concertina::search {
namespace {

using ::testing::HasSubstr;

struct ResumeCase {
  const char* name;
  SearchOptions options;
};

class Resume : public ::testing::TestWithParam<ResumeCase> {
 protected:
  /// One process: searches, and is killed at the given call of its evaluator.
  Result<std::vector<TrajectoryStep>> run(Journal& journal, int die_at_call = 1'000'000,
                                          int* calls = nullptr) {
    FakeEvaluator fake(smooth_loss(full_subnet(graph_)), disk_);
    fake.die_at_call(die_at_call);
    SilentProgress silent;
    auto trajectory = progressive_search(graph_, groups_, fake, GetParam().options, journal, silent);
    if (calls) *calls = fake.calls;
    return trajectory;
  }
  /// The same with the journal on the disk.
  Result<std::vector<TrajectoryStep>> run_on_file(int* calls = nullptr) {
    auto journal = Journal::open(path_, search_fingerprint(graph_, groups_, GetParam().options, "test"));
    if (!journal) return journal.error();
    return run(*journal, 1'000'000, calls);
  }
  std::vector<TrajectoryStep> run_whole(int* calls = nullptr) {
    Journal journal = Journal::in_memory();
    auto whole = run(journal, 1'000'000, calls);
    EXPECT_TRUE(whole);
    disk_.clear();
    return whole ? *whole : std::vector<TrajectoryStep>{};
  }

  const Graph graph_ = *make_network({.name = "resnet8", .input = {3, 32, 32}});
  const ChannelGroups groups_ = *divide_channels(graph_, 4);
  const testing::TestFolder folder_;
  const std::filesystem::path path_ = folder_ / "search.jsonl";
  FakeEvaluator::Disk disk_;
};

TEST_P(Resume, KilledAtEveryCall) {
  int calls = 0;
  const auto whole = run_whole(&calls);
  ASSERT_GT(whole.size(), 5u);
  ASSERT_EQ(whole.back().weights_version > 1, GetParam().options.fine_tune_below > 0);
  for (int n = 1; n <= calls; ++n) {
    disk_.clear();
    Journal journal = Journal::in_memory();
    ASSERT_FALSE(run(journal, n)) << n;
    const auto resumed = run(journal);
    ASSERT_TRUE(resumed) << resumed.error().message;
    ASSERT_EQ(*resumed, whole) << n;
  }
}

TEST_P(Resume, KilledAgainAndAgain) {
  const auto whole = run_whole();
  Journal journal = Journal::in_memory();
  // Each process lives long enough for one step: restore, at most 6 candidates, fine-tuning.
  auto result = run(journal, 9);
  for (int process = 1; !result && process < 100; ++process) result = run(journal, 9);
  ASSERT_TRUE(result);
  EXPECT_EQ(*result, whole);
}

TEST_P(Resume, CutAtEveryStepAndInTheMiddleOfALine) {
  const auto whole = *run_on_file();
  const std::string bytes = *read_file(path_);
  for (std::size_t end = bytes.find('\n'); end != std::string::npos; end = bytes.find('\n', end + 1)) {
    for (const std::size_t size : {end + 1, end}) {
      ASSERT_TRUE(write_file(path_, bytes.substr(0, size)));
      const auto resumed = run_on_file();
      ASSERT_TRUE(resumed) << resumed.error().message;
      ASSERT_EQ(*resumed, whole) << size;
      ASSERT_EQ(*read_file(path_), bytes);
    }
  }
}

TEST_P(Resume, AFinishedSearchOnlyRestoresItsWeights) {
  const auto whole = *run_on_file();
  int calls = 0;
  EXPECT_EQ(*run_on_file(&calls), whole);
  EXPECT_EQ(calls, 1);
}

TEST_P(Resume, RefusesAStepThatDoesNotFollow) {
  ASSERT_TRUE(run_on_file());
  std::string bytes = *read_file(path_);
  const std::size_t at = bytes.find("\"macs\":", bytes.find("\"step\":2")) + 7;
  bytes[at] = bytes[at] == '1' ? '2' : '1';
  ASSERT_TRUE(write_file(path_, bytes));
  const auto refused = run_on_file();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("step 2 of the search journal"));
}

constexpr std::int64_t kEnd = 4'000'000;  // of 12.5 MMAC

INSTANTIATE_TEST_SUITE_P(Searches, Resume,
                         ::testing::Values(ResumeCase{"eager", {.end_macs = kEnd}},
                                           ResumeCase{"lazy", {.end_macs = kEnd, .refresh_every = 4}},
                                           ResumeCase{"fine_tuned",
                                                      {.end_macs = kEnd, .fine_tune_below = 0.98}},
                                           ResumeCase{"lazy_fine_tuned",
                                                      {.criterion = Criterion::accuracy,
                                                       .end_macs = kEnd,
                                                       .fine_tune_below = 0.98,
                                                       .refresh_every = 5}}),
                         [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace concertina::search
