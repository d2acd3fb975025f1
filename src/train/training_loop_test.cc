#include "train/training_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "base/file.h"
#include "testing/temporary_folder.h"
#include "train/tensors.h"

namespace concertina::train {
namespace {

struct Killed {};

data::ImageSet random_set(int count) {
  data::ImageSet set{
      .channels = 1, .height = 4, .width = 4, .pixels = {}, .labels = {}, .classes = {"a", "b"}};
  for (int i = 0; i < count * 16; ++i) set.pixels.push_back(static_cast<std::uint8_t>(i * 7919 % 251));
  for (int i = 0; i < count; ++i) set.labels.push_back(i % 2);
  return set;
}

class TrainingLoopTest : public ::testing::Test {
 protected:
  void SetUp() override {
    indices_.resize(40);
    std::iota(indices_.begin(), indices_.end(), 0);
  }

  /// Trains a linear classifier with noise in its step; killed before step `kill_at`.
  Result<torch::Tensor> train(const std::filesystem::path& folder, std::int64_t kill_at = -1,
                              double macs = 0) {
    const ImageBatches images(random_set(40), {{0.5F}, {0.5F}}, torch::kCPU);
    const Tensors tensors = {{"w", torch::zeros({2, 16}).requires_grad_()}};
    ScheduledOptimizer optimizers[] = {make_sgd(tensors, recipe::Recipe{}.training, 0.1)};
    const TrainingLoop loop{.task = "test",
                            .checkpoint = folder / "checkpoint.pt",
                            .log = folder / "log.jsonl",
                            .steps = macs > 0 ? 0 : 18,  // 5 an epoch
                            .macs = macs,
                            .batch = 8,
                            .augmentation = {.pad = 1, .flip = true},
                            .seed = 3};
    SilentProgress progress;
    const auto step = [&](const Batch& batch, std::int64_t number) -> TrainingLoop::StepResult {
      if (number == kill_at) throw Killed{};
      const torch::Tensor noisy = batch.images + 0.1 * torch::randn_like(batch.images);
      const torch::Tensor loss = torch::nn::functional::cross_entropy(
          torch::linear(noisy.flatten(1), tensors.at("w")), batch.labels);
      loss.backward();
      return {loss, {batch.labels.size(0), 1.0}};
    };
    const auto spent = loop.run(images, indices_, tensors, optimizers, step, progress);
    if (!spent) return spent.error();
    EXPECT_EQ(*spent, (search::Spending{18 * 8, 18.0}));
    return tensors.at("w").detach();
  }

  const testing::TestFolder folder_;
  std::vector<std::int64_t> indices_;
};

TEST_F(TrainingLoopTest, AKilledRunGoesOnToTheSameWeights) {
  const torch::Tensor whole = *train(folder_ / "whole");
  for (const std::int64_t kill_at : {0, 3, 5, 12, 17}) {
    const auto folder = folder_ / std::to_string(kill_at);
    EXPECT_THROW((void)train(folder, kill_at), Killed);
    EXPECT_TRUE(torch::equal(*train(folder), whole)) << kill_at;
  }
}

TEST_F(TrainingLoopTest, ABudgetOfMacsIsTheSameAsItsSteps) {
  const torch::Tensor whole = *train(folder_ / "whole");
  EXPECT_TRUE(torch::equal(*train(folder_ / "macs", -1, 18), whole));
  EXPECT_THROW((void)train(folder_ / "killed", 12, 18), Killed);
  EXPECT_TRUE(torch::equal(*train(folder_ / "killed", -1, 18), whole));
}

TEST_F(TrainingLoopTest, AFinishedRunIsNotRepeated) {
  const torch::Tensor whole = *train(folder_);
  EXPECT_TRUE(torch::equal(*train(folder_, 0), whole));  // would throw in its first step
}

TEST_F(TrainingLoopTest, TheLastStepIsSeenToo) {
  const ImageBatches images(random_set(40), {{0.5F}, {0.5F}}, torch::kCPU);
  const Tensors tensors = {{"w", torch::zeros({2, 16}).requires_grad_()}};
  ScheduledOptimizer optimizers[] = {make_sgd(tensors, recipe::Recipe{}.training, 0.1)};
  std::vector<std::int64_t> steps;
  torch::Tensor last;
  const TrainingLoop loop{.task = "test",
                          .checkpoint = folder_ / "checkpoint.pt",
                          .log = folder_ / "log.jsonl",
                          .steps = 7,
                          .batch = 8,
                          .augmentation = {},
                          .after_step = [&](std::int64_t step) {
                            steps.push_back(step);
                            last = tensors.at("w").detach().clone();
                          }};
  const auto step = [&](const Batch& batch, std::int64_t) -> TrainingLoop::StepResult {
    const torch::Tensor loss = torch::nn::functional::cross_entropy(
        torch::linear(batch.images.flatten(1), tensors.at("w")), batch.labels);
    loss.backward();
    return {loss, {}};
  };
  SilentProgress progress;
  ASSERT_TRUE(loop.run(images, indices_, tensors, optimizers, step, progress));
  EXPECT_EQ(steps, (std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6}));
  EXPECT_TRUE(torch::equal(last, tensors.at("w")));
}

TEST_F(TrainingLoopTest, ADamagedCheckpointIsNamed) {
  ASSERT_TRUE(train(folder_));
  const auto path = folder_ / "checkpoint.pt";
  const std::string bytes = *read_file(path);
  for (const std::size_t size : {std::size_t{0}, std::size_t{100}, bytes.size() / 2, bytes.size() - 1}) {
    ASSERT_TRUE(write_file(path, bytes.substr(0, size)));
    const auto result = train(folder_);
    ASSERT_FALSE(result) << size;
    EXPECT_THAT(result.error().message, ::testing::HasSubstr("checkpoint.pt' is damaged"));
  }
}

TEST_F(TrainingLoopTest, DecayIsForMatricesOnly) {
  const Tensors tensors = {{"bias", torch::ones({2}).requires_grad_()},
                           {"weight", torch::ones({2, 2}).requires_grad_()}};
  const ScheduledOptimizer sgd = make_sgd(tensors, recipe::Recipe{}.training, 0.1);
  for (const auto& [name, tensor] : tensors) tensor.mutable_grad() = torch::zeros_like(tensor);
  sgd.optimizer->step();
  EXPECT_EQ(tensors.at("bias").min().item<double>(), 1);
  EXPECT_LT(tensors.at("weight").max().item<double>(), 1);
}

}  // namespace
}  // namespace concertina::train
