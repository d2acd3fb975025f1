#include "train/training_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>
#include <utility>

#include "base/file.h"
#include "testing/net.h"
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

  static Graph graph() {
    testing::Net net({1, 4, 4});
    net.classify(testing::kImage, 2);
    return net.build();
  }

  /// Trains a linear classifier with noise in its step; killed before step `kill_at`.
  Result<torch::Tensor> train(const std::filesystem::path& folder, std::int64_t kill_at = -1,
                              double macs = 0) {
    const ImageBatches images(random_set(40), {{0.5F}, {0.5F}}, torch::kCPU);
    const Tensors tensors = {{"w", torch::zeros({2, 16}).requires_grad_()}};
    ScheduledOptimizer optimizers[] = {make_sgd(graph(), tensors, recipe::Recipe{}.training, 0.1)};
    const TrainingLoop loop{.task = "test",
                            .checkpoint = folder / "checkpoint.pt",
                            .log = folder / "log.jsonl",
                            .steps = macs > 0 ? 0 : 18,  // 5 an epoch
                            .macs = macs,
                            .batch = 8,
                            .augmentation = {.pad = 1, .flip = true},
                            .seed = 3,
                            .save_every = save_every_};
    SilentProgress progress;
    const auto step = [&](const Batch& batch,
                          const TrainingLoop::Moment& moment) -> TrainingLoop::StepResult {
      if (moment.step == kill_at) throw Killed{};
      const torch::Tensor noisy = batch.images() + 0.1 * torch::randn_like(batch.images());
      const torch::Tensor loss = torch::nn::functional::cross_entropy(
          torch::linear(noisy.flatten(1), tensors.at("w")), batch.labels);
      loss.backward();
      ++steps_;
      return {moment.step == bad_step_ ? std::nan("") : loss.item<double>(), {batch.labels.size(0), 1.0}};
    };
    const auto spent = loop.run(images, indices_, tensors, optimizers, step, progress);
    if (!spent) return spent.error();
    EXPECT_EQ(*spent, (search::Spending{18 * 8, 18.0}));
    return tensors.at("w").detach();
  }

  /// Those of the epochs.
  static std::vector<double> losses(const std::filesystem::path& folder) {
    std::vector<double> losses;
    std::istringstream lines(*read_file(folder / "log.jsonl"));
    for (std::string line; std::getline(lines, line);) losses.push_back(nlohmann::json::parse(line)["loss"]);
    return losses;
  }

  const testing::TestFolder folder_;
  std::vector<std::int64_t> indices_;
  std::chrono::seconds save_every_{600};
  std::int64_t bad_step_ = -1;
  int steps_ = 0;  ///< of all processes
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

TEST_F(TrainingLoopTest, ACheckpointInTheMiddleOfAnEpochLosesNoStep) {
  const torch::Tensor whole = *train(folder_ / "whole");
  EXPECT_EQ(std::exchange(steps_, 0), 18);
  save_every_ = std::chrono::seconds(0);
  EXPECT_THROW((void)train(folder_ / "killed", 12), Killed);
  EXPECT_TRUE(torch::equal(*train(folder_ / "killed"), whole));
  EXPECT_EQ(steps_, 18);
  EXPECT_EQ(losses(folder_ / "killed"), losses(folder_ / "whole"));
}

TEST_F(TrainingLoopTest, ALossThatIsNoNumberEndsIt) {
  bad_step_ = 7;
  const auto result = train(folder_);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, ::testing::HasSubstr("test: the loss became nan in epoch 2; lower"));
}

TEST_F(TrainingLoopTest, ACheckpointOfOtherShapesIsRefused) {
  ASSERT_TRUE(train(folder_));
  const auto path = folder_ / "checkpoint.pt";
  Checkpoint checkpoint = *read_checkpoint(path);
  checkpoint.tensors.at("w") = torch::zeros({3, 16});
  ASSERT_TRUE(write_checkpoint(path, checkpoint));
  const auto result = train(folder_);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, ::testing::HasSubstr("belongs to another run"));
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

TEST_F(TrainingLoopTest, DecayIsForWeightsThatMixChannels) {
  testing::Net net({3, 4, 4});
  const NodeId x = net.norm("norm", net.conv("conv", testing::kImage, 4, {}, 1, true));
  net.classify(net.conv("depthwise", x, 4, {}, 4, false), 2);
  const Graph graph = net.build();
  recipe::Recipe::Training training;
  for (const double muon : {0.0, 0.05}) {
    training.muon_learning_rate = muon;
    Tensors tensors;
    for (const auto& [name, tensor] : initial_tensors(graph, 1))
      tensors[name] = torch::ones_like(tensor).requires_grad_();
    const std::vector<ScheduledOptimizer> optimizers = make_optimizers(graph, tensors, training);
    EXPECT_EQ(optimizers.size(), muon > 0 ? 2u : 1u);
    for (const auto& [name, tensor] : tensors) tensor.mutable_grad() = torch::zeros_like(tensor);
    for (const ScheduledOptimizer& scheduled : optimizers) scheduled.optimizer->step();
    std::vector<std::string> decayed;
    for (const auto& [name, tensor] : tensors) {
      if (tensor.max().item<double>() < 1) decayed.push_back(name);
    }
    EXPECT_THAT(decayed, ::testing::ElementsAre("conv.weight", "fc.weight"));
  }
}

// Whatever the size of a gradient of rank one, Muon's step has that of its learning rate.
TEST_F(TrainingLoopTest, MuonMovesFiltersAndNothingElse) {
  testing::Net net({3, 4, 4});
  net.classify(net.norm("norm", net.conv("conv", testing::kImage, 4, {}, 1, true)), 2);
  const Graph graph = net.build();
  recipe::Recipe::Training training;
  training.momentum = 0;
  training.weight_decay = 0;
  const auto moved = [&](double muon) {
    training.muon_learning_rate = muon;
    Tensors tensors = initial_tensors(graph, 1);
    std::map<std::string, double> distance;
    for (auto& [name, tensor] : tensors) tensor = torch::zeros_like(tensor).requires_grad_();
    for (const auto& [name, tensor] : tensors) tensor.mutable_grad() = torch::full_like(tensor, 10);
    for (const ScheduledOptimizer& scheduled : make_optimizers(graph, tensors, training))
      scheduled.optimizer->step();
    for (const auto& [name, tensor] : tensors) distance[name] = tensor.norm().item<double>();
    return distance;
  };
  const auto by_sgd = moved(0), by_muon = moved(0.01);
  for (const auto& [name, distance] : by_sgd) {
    if (name == "conv.weight") {
      EXPECT_NEAR(by_muon.at(name), 0.01, 0.004);
    } else {
      EXPECT_EQ(by_muon.at(name), distance) << name;
    }
  }
}

}  // namespace
}  // namespace concertina::train
