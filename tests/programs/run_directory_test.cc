// What a run directory promises: nothing is lost, nothing is repeated, nothing old is taken for new.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/random.h"
#include "programs/toy_pipeline.h"

namespace concertina::testing {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class RunDirectoryTest : public ToyPipeline {};

TEST_F(RunDirectoryTest, ARunGoesOnFromAnywhere) {
  const fs::path out = folder_ / "run";
  std::string text = *read_file(folder_ / "recipe.toml");
  text.insert(text.find("[data]\n") + 7, "path = \"data\"\n");
  folder_.write("recipe.toml", text);
  const std::string recipe = (folder_ / "recipe.toml").string(), run = out.string();
  const auto in_root = [](const std::string& arguments) {
    return run_process({"/bin/sh", "-c", std::string("cd / && " CONCERTINA_TRAIN_PROGRAM " ") + arguments});
  };
  const ProcessResult first = in_root("pretrain '" + recipe + "' --out '" + run + "'");
  ASSERT_EQ(first.exit_code, 0) << first.err;
  const ProcessResult again = in_root("pretrain --out '" + run + "'");
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_THAT(again.err, HasSubstr("pretrain: done before"));
  // What the path names counts, not where it lies.
  fs::rename(folder_ / "data", folder_ / "moved");
  expect_refused(in_root("pretrain --out '" + run + "'"),
                 "data.path: '" + (folder_ / "data").string() + "' is not a folder");
  expect_refused(in_root("pretrain --out '" + run + "'"), "a path in a recipe is from the recipe's folder");
  EXPECT_THAT(
      in_root("pretrain --out '" + run + "' --set data.path='" + (folder_ / "moved").string() + "'").err,
      HasSubstr("pretrain: done before"));
}

TEST_F(RunDirectoryTest, AModelOfAnEarlierRecipeDoesNotLookCurrent) {
  const fs::path out = folder_ / "run";
  ASSERT_EQ(train("run", out).exit_code, 0);
  const std::string model = *read_file(out / "model.onnx");
  // Nothing that the model depends on has begun anew yet.
  const std::vector<std::string> changed = {"--set", "select.subnets=3"};
  EXPECT_THAT(train("pretrain", out, changed).err, HasSubstr("model.onnx is of an earlier recipe"));
  EXPECT_TRUE(fs::exists(out / "model.onnx"));
  ASSERT_EQ(train("select", out, changed).exit_code, 0);
  EXPECT_FALSE(fs::exists(out / "model.onnx"));
  EXPECT_FALSE(fs::exists(out / "package"));
  EXPECT_EQ(*read_file(out / "model.onnx.previous"), model);
  EXPECT_TRUE(fs::exists(out / "package.previous" / "results.json"));
  ASSERT_EQ(train("run", out, changed).exit_code, 0);
  EXPECT_NE(*read_file(out / "model.onnx"), model);
}

TEST_F(RunDirectoryTest, StagesAreVerbsAndSayWhatTheyNeed) {
  const fs::path out = folder_ / "run";
  expect_refused(train("rank", out), "rank needs the results of pretrain");
  EXPECT_EQ(train("pretrain", out).exit_code, 0);
  EXPECT_EQ(train("rank", out).exit_code, 0);
  EXPECT_TRUE(fs::exists(out / "rank" / "ranking.json"));
  expect_refused(train("joint", out), "joint needs the results of select");
}

TEST_F(RunDirectoryTest, KilledAnywhereItReachesTheSameTrajectoryAndModel) {
  const fs::path whole = folder_ / "whole", killed = folder_ / "killed";
  const std::vector<std::string> tuned = {"--set", "quantize.epochs=1"};
  ASSERT_EQ(train("run", whole, tuned).exit_code, 0);

  // By progress, not by the clock: in training, anywhere in the search, in joint training, in fine-tuning.
  const auto lines = [](const fs::path& file) {
    return fs::exists(file) ? std::ranges::count(*read_file(file), '\n') : 0;
  };
  const auto steps = static_cast<std::uint64_t>(lines(whole / "search/journal.jsonl"));
  const auto step = static_cast<std::ptrdiff_t>(
      1 + CounterRandom(static_cast<std::uint64_t>(getpid())).below(steps - 1, 0));
  const std::function<bool()> moments[] = {
      [&] { return fs::exists(killed / "pretrain/checkpoint.pt"); },
      [&] { return lines(killed / "search/journal.jsonl") >= step; },
      [&] { return fs::exists(killed / "joint/checkpoint.pt"); },
      [&] { return fs::exists(killed / "fine-tune/checkpoint.pt"); },
  };
  for (const auto& moment : moments) {
    EXPECT_EQ(run_process(train_command("run", killed, tuned), moment).exit_code, -1);
  }
  const ProcessResult last = train("run", killed, tuned);
  ASSERT_EQ(last.exit_code, 0) << last.err;
  for (const char* file :
       {"search/journal.jsonl", "select/subnets.json", "package/results.json", "model.onnx"}) {
    EXPECT_EQ(*read_file(killed / file), *read_file(whole / file)) << file;
  }
  // The time of the processes that were killed counts.
  EXPECT_GT(std::stod(*read_file(killed / "search/seconds")), 0);
  EXPECT_EQ(std::stod(*read_file(whole / "search/seconds")), 0);
}

TEST_F(RunDirectoryTest, ALongerRunHasAnotherScheduleFromItsFirstStepOn) {
  const fs::path out = folder_ / "run";
  ASSERT_EQ(train("pretrain", out).exit_code, 0);
  EXPECT_THAT(train("pretrain", out, {"--set", "select.subnets=3"}).err, HasSubstr("pretrain: done before"));
  const ProcessResult longer = train("pretrain", out, {"--set", "joint.epochs=9"});
  EXPECT_EQ(longer.exit_code, 0) << longer.err;
  EXPECT_THAT(longer.err, HasSubstr("pretrain: its inputs have changed"));
}

TEST_F(RunDirectoryTest, AStageThatGoesOnOnAnotherDeviceSaysSo) {
  const fs::path out = folder_ / "run";
  ASSERT_EQ(train("run", out).exit_code, 0);
  const std::string here = *read_file(out / "joint" / "devices");
  ASSERT_TRUE(write_file(out / "joint" / "devices", "Elsewhere, 9 threads\n"));
  fs::remove(out / "joint" / "done");
  const ProcessResult again = train("run", out);
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_THAT(again.err, HasSubstr("joint: begun on Elsewhere, 9 threads, goes on on "));
  EXPECT_EQ(*read_file(out / "joint" / "devices"), "Elsewhere, 9 threads\n" + here);
  EXPECT_THAT(*read_file(out / "joint" / "done"), HasSubstr("Elsewhere, 9 threads, then "));
}

TEST_F(RunDirectoryTest, WhoseTheConvolutionsAreIsMeasuredOnce) {
  const std::vector<std::string> measured = {"--set", "training.convolutions=measured"};
  const fs::path one = folder_ / "one", two = folder_ / "two";
  const ProcessResult first = train("pretrain", one, measured);
  ASSERT_EQ(first.exit_code, 0) << first.err;
  EXPECT_THAT(first.err, HasSubstr(" kinds by our kernels, "));
  ASSERT_EQ(train("pretrain", two, measured).exit_code, 0);
  EXPECT_EQ(*read_file(two / "convolutions.json"), *read_file(one / "convolutions.json"));
  const ProcessResult again = train("pretrain", one, measured);
  EXPECT_THAT(again.err, HasSubstr("pretrain: done before"));
}

TEST_F(RunDirectoryTest, ARunGoesOnWithTheConvolutionsOfItsRecord) {
  const fs::path whole = folder_ / "whole", recorded = folder_ / "recorded", own = folder_ / "own";
  ASSERT_EQ(train("run", whole, {"--set", "training.convolutions=libtorch"}).exit_code, 0);
  std::string record = *read_file(whole / "convolutions.json");
  const std::string decided = "\"convolutions\": \"libtorch\"";
  record.replace(record.find(decided), decided.size(), "\"convolutions\": \"measured\"");
  ASSERT_TRUE(write_file(recorded / "convolutions.json", record));
  ASSERT_EQ(train("run", recorded, {"--set", "training.convolutions=measured"}).exit_code, 0);
  EXPECT_EQ(*read_file(recorded / "convolutions.json"), record);
  EXPECT_EQ(*read_file(recorded / "pretrain/fingerprint"), *read_file(whole / "pretrain/fingerprint"));
  EXPECT_EQ(*read_file(recorded / "model.onnx"), *read_file(whole / "model.onnx"));
  ASSERT_EQ(train("run", own).exit_code, 0);
  EXPECT_NE(*read_file(own / "pretrain/fingerprint"), *read_file(whole / "pretrain/fingerprint"));
  EXPECT_NE(*read_file(own / "model.onnx"), *read_file(whole / "model.onnx"));
  // Another decision that comes to the same repeats nothing.
  const ProcessResult back = train("run", recorded, {"--set", "training.convolutions=libtorch"});
  EXPECT_THAT(back.err, HasSubstr("package: done before"));
}

TEST_F(RunDirectoryTest, TwoRunsDoNotShareAFolder) {
  const fs::path out = folder_ / "run";
  {
    const auto other = FolderLock::take(out);
    ASSERT_TRUE(other) << other.error().message;
    expect_refused(train("pretrain", out), "another process is working in '" + out.string() + "'");
    EXPECT_TRUE(fs::is_empty(out));
  }
  EXPECT_EQ(train("pretrain", out).exit_code, 0);
}

TEST_F(RunDirectoryTest, AFullDiskIsSaidAndNothingIsLost) {
  const fs::path out = folder_ / "run";
  ASSERT_EQ(train("pretrain", out).exit_code, 0);
  const std::string before = *read_file(out / "pretrain/checkpoint.pt");
  expect_refused(run_process(train_command("rank", out), {}, 20'000), "free some space and run again");
  EXPECT_EQ(*read_file(out / "pretrain/checkpoint.pt"), before);
  EXPECT_EQ(train("rank", out).exit_code, 0);
}

}  // namespace
}  // namespace concertina::testing
