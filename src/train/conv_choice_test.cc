#include "train/conv_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "base/file.h"
#include "testing/graphs.h"
#include "testing/temporary_folder.h"
#include "train/distributed/joint_testing.h"

namespace concertina::train {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

class HeardMessages final : public Progress {
 public:
  void start(std::string_view, std::int64_t) override {}
  void update(std::int64_t, std::string_view) override {}
  void message(std::string_view text) override { all.emplace_back(text); }

  std::vector<std::string> all;
};

/// Runs on one machine, whose LibTorch is faster with 3x3 windows.
class Runs {
 public:
  explicit Runs(const fs::path& folder) : cache_(folder / "cache"), record_(folder / "convolutions.json") {}

  /// A run's choice, which it records.
  Result<ConvRecord> choose(const Processes& processes = {}) {
    heard.all.clear();
    const Compute compute{.processes = processes};
    auto record = choose_convolutions(
        {.graph = graph_,
         .training = training,
         .compute = compute,
         .record = record_,
         .cache = cache_,
         .measure = [&](const ConvKind& kind, const ConvPace&) { return times_of(kind); }},
        heard);
    if (record && processes.first()) {
      EXPECT_TRUE(write_file(record_, to_json(*record)));
    }
    return record;
  }

  void forget_record() const { fs::remove(record_); }
  const fs::path& record() const { return record_; }
  const fs::path& cache() const { return cache_; }
  fs::path cache_file() const {
    const auto files = fs::directory_iterator(cache_);
    return files == fs::directory_iterator() ? fs::path() : files->path();
  }

  /// Of how many kinds the network has each.
  std::size_t count(bool of_3x3) const {
    std::set<std::string> names;
    for (const auto& kind : conv_kinds(graph_)) {
      if (kind && (kind->conv.window.kernel_h == 3) == of_3x3) names.insert(name_of(*kind));
    }
    return names.size();
  }

  recipe::Recipe::Training training{.batch = 8, .precision = Precision::fp32};
  bool turned_round = false;  ///< the other windows
  int measured = 0;
  HeardMessages heard;

 private:
  KindTimes times_of(const ConvKind& kind) {
    ++measured;
    const bool faster = (kind.conv.window.kernel_h == 3) != turned_round;
    return {{2, faster ? 1.0 : 3.0}, {2, faster ? 1.0 : 3.0}};
  }

  const Graph graph_ = testing::resnet8();
  fs::path cache_, record_;
};

class ConvChoiceTest : public ::testing::Test {
 protected:
  const testing::TestFolder folder_;
  Runs runs_{folder_};
};

TEST_F(ConvChoiceTest, TheRecipeDecides) {
  const std::size_t all = runs_.count(true) + runs_.count(false);
  runs_.training.convolutions = recipe::Convolutions::own;
  EXPECT_THAT(runs_.choose()->choice().libtorch, IsEmpty());
  runs_.training.convolutions = recipe::Convolutions::libtorch;
  EXPECT_EQ(runs_.choose()->choice().libtorch.size(), all);
  EXPECT_EQ(runs_.measured, 0);
  runs_.training.convolutions = recipe::Convolutions::measured;
  EXPECT_EQ(runs_.choose()->choice().libtorch.size(), runs_.count(true));
  EXPECT_EQ(runs_.measured, static_cast<int>(all));
  EXPECT_THAT(runs_.heard.all, ElementsAre(fmt::format(
                                   "convolutions: {} of {} kinds by our kernels, {} by LibTorch (measured)",
                                   runs_.count(false), all, runs_.count(true))));
}

TEST_F(ConvChoiceTest, ARunKeepsItsChoice) {
  const auto first = runs_.choose()->choice().libtorch;
  fs::remove_all(runs_.cache());
  runs_.turned_round = true;
  runs_.measured = 0;
  EXPECT_EQ(runs_.choose()->choice().libtorch, first);
  EXPECT_EQ(runs_.measured, 0);
}

TEST_F(ConvChoiceTest, AnotherRunOnTheMachineHasTheSameChoice) {
  const auto first = runs_.choose()->choice().libtorch;
  runs_.forget_record();
  runs_.turned_round = true;
  runs_.measured = 0;
  EXPECT_EQ(runs_.choose()->choice().libtorch, first);
  EXPECT_EQ(runs_.measured, 0);
}

TEST_F(ConvChoiceTest, WhatTheTimesDependOnIsMeasuredAgain) {
  const int threads = at::get_num_threads();
  ASSERT_TRUE(runs_.choose());
  for (const auto& change : std::vector<std::function<void()>>{
           [&] { runs_.training.batch = 16; }, [&] { runs_.training.precision = Precision::bf16; },
           [&] {
             runs_.forget_record();
             at::set_num_threads(threads + 1);
           }}) {
    runs_.measured = 0;
    change();
    ASSERT_TRUE(runs_.choose());
    EXPECT_GT(runs_.measured, 0);
  }
  at::set_num_threads(threads);
}

TEST_F(ConvChoiceTest, ADamagedCacheDoesNoHarm) {
  ASSERT_TRUE(runs_.choose());
  const std::string whole = *read_file(runs_.cache_file());
  ASSERT_TRUE(write_file(runs_.cache_file(), whole.substr(0, whole.size() / 2)));
  runs_.forget_record();
  runs_.measured = 0;
  EXPECT_EQ(runs_.choose()->choice().libtorch.size(), runs_.count(true));
  EXPECT_GT(runs_.measured, 0);
  ASSERT_EQ(runs_.heard.all.size(), 2u);
  EXPECT_THAT(runs_.heard.all[0], HasSubstr("convolutions: measured again, because"));
  EXPECT_THAT(runs_.heard.all[0], HasSubstr(runs_.cache_file().string()));
  EXPECT_EQ(*read_file(runs_.cache_file()), whole);
}

TEST_F(ConvChoiceTest, ACacheThatCannotBeWrittenDoesNoHarm) {
  folder_.write("cache", "no folder");
  EXPECT_EQ(runs_.choose()->choice().libtorch.size(), runs_.count(true));
  ASSERT_EQ(runs_.heard.all.size(), 2u);
  EXPECT_THAT(runs_.heard.all[0], HasSubstr("convolutions: another run will measure them again, because"));
}

TEST_F(ConvChoiceTest, ADamagedRecordIsAnError) {
  folder_.write("convolutions.json", "{}");
  const auto record = runs_.choose();
  ASSERT_FALSE(record);
  EXPECT_THAT(record.error().message, HasSubstr(runs_.record().string()));
  EXPECT_THAT(record.error().message, HasSubstr("delete it"));
}

class JointConvChoice : public JointTest {};

TEST_F(JointConvChoice, TheFirstProcessDecides) {
  const auto processes = meet(2);
  if (!processes) return;
  const testing::TestFolder folder;
  Runs runs(folder);
  runs.turned_round = !processes->first();
  const auto record = runs.choose(*processes);
  ASSERT_TRUE(record) << record.error().message;
  EXPECT_EQ(record->choice().libtorch.size(), runs.count(true));
  EXPECT_EQ(runs.measured > 0, processes->first());
}

}  // namespace
}  // namespace concertina::train
