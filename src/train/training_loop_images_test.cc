#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <stdexcept>

#include "base/file.h"
#include "base/random.h"
#include "testing/temporary_folder.h"
#include "train/training_loop.h"

namespace concertina::train {
namespace {

/// Random images; counts the batches that it is asked for.
class CountedPixels final : public PixelSource {
 public:
  explicit CountedPixels(int count)
      : pixels_(pixels_in_memory({.channels = 1,
                                  .height = 4,
                                  .width = 4,
                                  .pixels = bytes(count * 16),
                                  .labels = std::vector<std::int32_t>(static_cast<std::size_t>(count), 0),
                                  .classes = {"a"}},
                                 torch::kCPU)) {}

  Pixels plain(std::span<const std::int64_t> indices) const override { return pixels_->plain(indices); }
  Pixels augmented(std::span<const std::int64_t> indices, const Augmentation& augmentation,
                   std::uint64_t key) const override {
    ++asked_;
    return pixels_->augmented(indices, augmentation, key);
  }
  int asked() const { return asked_; }

 private:
  static std::vector<std::uint8_t> bytes(int count) {
    std::vector<std::uint8_t> bytes;
    for (int i = 0; i < count; ++i) bytes.push_back(static_cast<std::uint8_t>(i * 7919 % 251));
    return bytes;
  }

  std::unique_ptr<const PixelSource> pixels_;
  mutable std::atomic<int> asked_{0};
};

class TrainingLoopImages : public ::testing::Test {
 protected:
  static constexpr int kImages = 37, kBatch = 8;  // 4 steps an epoch

  void SetUp() override {
    indices_.resize(kImages);
    std::iota(indices_.begin(), indices_.end(), 0);
  }

  /// Trains nothing; each step costs one MAC, and step `throw_at` throws.
  Result<search::Spending> train(double macs, std::int64_t steps, std::int64_t throw_at = -1) {
    const Tensors tensors = {{"w", torch::zeros({1}).requires_grad_()}};
    std::vector<ScheduledOptimizer> optimizers;
    optimizers.push_back(
        {std::make_unique<torch::optim::SGD>(std::vector{tensors.at("w")}, torch::optim::SGDOptions(1)), 1});
    const TrainingLoop loop{.task = "test",
                            .checkpoint = folder_ / "checkpoint.pt",
                            .log = folder_ / "log.jsonl",
                            .steps = steps,
                            .macs = macs,
                            .batch = kBatch,
                            .augmentation = augmentation_,
                            .seed = 3};
    SilentProgress progress;
    const auto step = [&](const Batch& batch,
                          const TrainingLoop::Moment& moment) -> TrainingLoop::StepResult {
      if (moment.step == throw_at) throw std::runtime_error("stopped");
      seen_.push_back(batch);
      return {.loss = 1, .spent = {kBatch, 1}};
    };
    return loop.run(images_, indices_, tensors, optimizers, step, progress);
  }

  const testing::TestFolder folder_;
  std::vector<std::int64_t> indices_;
  Augmentation augmentation_{.pad = 1, .flip = true};
  std::shared_ptr<const CountedPixels> pixels_ = std::make_shared<const CountedPixels>(kImages);
  ImageBatches images_{pixels_, std::vector<std::int32_t>(kImages, 0), {{0.5F}, {0.5F}}, torch::kCPU};
  std::vector<Batch> seen_;
};

// Through epochs, and from where a kill has left it.
TEST_F(TrainingLoopImages, AreThoseOfTheStepWhoeverPreparesThem) {
  EXPECT_THROW((void)train(0, 11, 6), std::runtime_error);
  ASSERT_TRUE(train(0, 11));
  ASSERT_EQ(seen_.size(), 6u + 7);  // the checkpoint is of step 4
  seen_.erase(seen_.begin() + 4, seen_.begin() + 6);
  for (std::int64_t step = 0; step < 11; ++step) {
    const CounterRandom random(3, static_cast<std::uint64_t>(step / 4));
    const Batch wanted =
        images_.augmented(batch_indices(indices_, random.permutation(kImages), step % 4, kBatch),
                          augmentation_, random.bits(1));
    EXPECT_TRUE(torch::equal(seen_[static_cast<std::size_t>(step)].images(), wanted.images())) << step;
  }
}

TEST_F(TrainingLoopImages, FewArePreparedInVain) {
  ASSERT_TRUE(train(7, 0));  // until 7 MACs are spent
  EXPECT_EQ(seen_.size(), 7u);
  EXPECT_GE(pixels_->asked(), 7);
  EXPECT_LE(pixels_->asked(), 9);
  const int asked = pixels_->asked();
  ASSERT_TRUE(train(7, 0));  // is done
  EXPECT_EQ(pixels_->asked(), asked);
}

TEST_F(TrainingLoopImages, NoneArePreparedAfterTheLastStep) {
  ASSERT_TRUE(train(0, 6));
  EXPECT_EQ(pixels_->asked(), 6);
}

TEST_F(TrainingLoopImages, TheLogSaysHowLongItWaited) {
  ASSERT_TRUE(train(0, 6));
  const std::string log = *read_file(folder_ / "log.jsonl");
  const auto line = nlohmann::json::parse(log.substr(0, log.find('\n')));
  EXPECT_GE(line["waited_seconds"].get<double>(), 0);
  EXPECT_LE(line["waited_seconds"].get<double>(), line["seconds"].get<double>());
  EXPECT_EQ(images_.waits().batches, 6);
}

}  // namespace
}  // namespace concertina::train
