#include "train/objective.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/random_weights.h"
#include "testing/net.h"
#include "train/supernet/evaluation.h"

namespace concertina::train {
namespace {

using ::testing::HasSubstr;

constexpr Shape kSmall{3, 8, 8};

/// A softmax over 5 classes, and a map of 4 values at each of 16 places.
Network two_outputs() {
  testing::Net net(kSmall);
  const NodeId body =
      net.relu("relu", net.norm("norm", net.conv("conv", testing::kImage, 8, Window::square(3, 1, 1))));
  const NodeId map = net.conv("map", body, 4, Window::square(3, 2, 1));
  const NodeId soft = net.softmax("soft", net.linear("scores", net.global("pool", body), 5));
  const Graph graph = net.build({soft, map});
  return {graph, random_weights(graph)};
}

ImageBatches random_images(std::int64_t count) {
  data::ImageSet set{.channels = 3, .height = 8, .width = 8, .pixels = {}, .labels = {}, .classes = {}};
  for (std::size_t i = 0; i < static_cast<std::size_t>(count) * set.image_bytes(); ++i)
    set.pixels.push_back(static_cast<std::uint8_t>(i * 7919 >> 3));
  set.labels.assign(static_cast<std::size_t>(count), 0);
  return {set, measure_normalization(set), torch::kCPU};
}

class Distilling : public ::testing::Test {
 protected:
  std::shared_ptr<const Teacher> teacher(const recipe::Recipe::Distill& recipe = {}) const {
    return *Teacher::make(network_, recipe, {}, images_, indices_);
  }
  std::string refusal(const recipe::Recipe::Distill& recipe) const {
    const auto made = Teacher::make(network_, recipe, {}, images_, indices_);
    return made ? "no error" : made.error().message;
  }

  const Network network_ = two_outputs();
  const Graph& graph_ = network_.graph;
  const ImageBatches images_ = random_images(12);
  const std::vector<std::int64_t> indices_ = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  const Tensors arrays_ = to_tensors(network_.weights, torch::kCPU);
  const Supernet net_ = *Supernet::make(graph_, arrays_, {});
};

TEST_F(Distilling, ASoftmaxIsADistributionAndAllElseAreValues) {
  const auto by_itself = teacher();
  ASSERT_EQ(by_itself->outputs().size(), 2u);
  EXPECT_TRUE(by_itself->outputs()[0].distribution);
  EXPECT_EQ(graph_.node(by_itself->outputs()[0].node).name, "scores");
  EXPECT_FALSE(by_itself->outputs()[1].distribution);
  EXPECT_EQ(graph_.node(by_itself->outputs()[1].node).name, "map");
  EXPECT_GT(by_itself->outputs()[1].variance, 0);

  const auto as_told =
      teacher({.losses = {recipe::LearnedAs::values, recipe::LearnedAs::distribution}, .weights = {0.5, 3}});
  EXPECT_FALSE(as_told->outputs()[0].distribution);
  EXPECT_EQ(graph_.node(as_told->outputs()[0].node).name, "soft");
  EXPECT_TRUE(as_told->outputs()[1].distribution);
  EXPECT_EQ(as_told->outputs()[1].weight, 3);
}

TEST_F(Distilling, VariancesAreOfAllImages) {
  std::vector<std::int64_t> often;
  for (int i = 0; i < 25; ++i) often.insert(often.end(), indices_.begin(), indices_.end());
  const auto made = *Teacher::make(network_, {}, {}, images_, often);
  const double once = teacher()->outputs()[1].variance;
  EXPECT_NEAR(made->outputs()[1].variance, once, 1e-6 * once);
}

TEST_F(Distilling, AnOutputThatIsAlwaysTheSameTeachesNothing) {
  Network constant = network_;
  for (float& value : constant.weights.at("map.weight").values) value = 0;
  for (float& value : constant.weights.at("map.bias").values) value = 3.3F;
  const auto made = Teacher::make(constant, {}, {}, images_, indices_);
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr("the output 'map' is the same for all images"));
}

TEST_F(Distilling, ListsMustFitTheOutputs) {
  EXPECT_THAT(refusal({.losses = {}, .weights = {1}}),
              HasSubstr("distill.weights has 1 entries, but the network"));
  EXPECT_THAT(refusal({.losses = {recipe::LearnedAs::values}, .weights = {}}), HasSubstr("distill.losses"));
  EXPECT_THAT(refusal({.losses = {}, .weights = {0, 0}}), HasSubstr("nothing is learned"));
}

TEST_F(Distilling, TheNetworkItselfIsPerfect) {
  const search::Evaluation itself =
      evaluate(net_, full_subnet(graph_), arrays_, images_.taught_by(teacher()), indices_);
  EXPECT_NEAR(itself.loss, 0, 1e-6);
  EXPECT_NEAR(itself.accuracy, 1, 1e-6);
}

TEST_F(Distilling, ErrorsAreCountedInVariancesAndPreferredClasses) {
  const auto by_two = teacher({.losses = {}, .weights = {1, 3}});
  const Batch batch = images_.taught_by(by_two).batch(indices_);
  const Targets targets = targets_of(batch);
  Outputs outputs = {targets.taught[0].roll(1, 1), targets.taught[1]};  // no class is preferred where it was
  const double variance = by_two->outputs()[1].variance;
  outputs[1] = outputs[1] + std::sqrt(variance / 4);  // a quarter of the variance
  Score score;
  score.add(outputs, targets);
  EXPECT_NEAR(score.mean().accuracy, (0 + 3 * 0.75) / 4, 1e-5);
  const torch::Tensor wanted = torch::log_softmax(targets.taught[0], 1),
                      had = torch::log_softmax(outputs[0], 1);
  const double divergence = (wanted.exp() * (wanted - had)).sum().item<double>() / 12;
  EXPECT_NEAR(score.mean().loss, divergence + 3 * 0.25, 1e-5);
  EXPECT_NEAR(loss_of(outputs, targets, 0).item<double>(), score.mean().loss, 1e-6);
  outputs[1] = 10 * outputs[1];
  Score bad;
  bad.add(outputs, targets);
  EXPECT_EQ(bad.mean().accuracy, 0) << "a relative error above 1 counts as 1";
}

TEST_F(Distilling, BatchesOfAnySizeAddUp) {
  const ImageBatches taught = images_.taught_by(teacher());
  const Subnet half{{4}};
  const Tensors statistics = estimate_statistics(net_, half, {}, images_, indices_, 12);
  Score whole, parts;
  const auto add = [&](Score& score, std::span<const std::int64_t> part) {
    const Batch batch = taught.batch(part);
    score.add(forward(net_, batch, half, {.statistics = &statistics}), targets_of(batch));
  };
  add(whole, indices_);
  add(parts, std::span(indices_).first(5));
  add(parts, std::span(indices_).subspan(5));
  EXPECT_NEAR(whole.mean().loss, parts.mean().loss, 1e-5);
  EXPECT_NEAR(whole.mean().accuracy, parts.mean().accuracy, 1e-5);
  EXPECT_LT(whole.mean().accuracy, 1);
}

TEST_F(Distilling, WhatIsEvaluatedAgainIsRememberedWhatIsAugmentedIsNot) {
  const ImageBatches taught = images_.taught_by(teacher());
  const Batch first = taught.batch(indices_), again = taught.batch(indices_);
  EXPECT_NE(first.key, 0u);
  EXPECT_EQ(first.key, again.key);
  EXPECT_TRUE(targets_of(first).taught[0].is_same(targets_of(again).taught[0]));
  EXPECT_NE(taught.batch(std::span(indices_).first(3)).key, first.key);
  EXPECT_EQ(taught.augmented(indices_, {}, 1).key, 0u);
  EXPECT_EQ(images_.batch(indices_).teacher, nullptr);
}

TEST_F(Distilling, TheTeachersPassIsPaidFor) {
  const ImageBatches taught = images_.taught_by(teacher());
  EXPECT_EQ(cost_of_targets(taught.batch(indices_)),
            search::evaluation_spending(graph_, full_subnet(graph_), 12));
  EXPECT_EQ(cost_of_targets(images_.batch(indices_)), search::Spending{});
}

/// Label maps of 2 x 2 pixels.
class Segmenting : public ::testing::Test {
 protected:
  static torch::Tensor maps(const std::vector<std::int64_t>& labels) {
    return torch::tensor(labels, torch::kLong).view({-1, 2, 2});
  }
  static Targets targets(const torch::Tensor& labels) {
    return {.labels = labels, .teacher = nullptr, .taught = {}};
  }
  /// Scores of so many classes, sure of that of each pixel.
  static Outputs sure(const std::vector<std::int64_t>& classes, std::int64_t count) {
    const torch::Tensor hot = torch::one_hot(torch::tensor(classes, torch::kLong), count);
    return {10 * hot.view({-1, 2, 2, count}).permute({0, 3, 1, 2}).to(torch::kFloat)};
  }
  static double mean_iou(const std::vector<std::pair<Outputs, torch::Tensor>>& batches) {
    Score score;
    for (const auto& [outputs, labels] : batches) score.add(outputs, targets(labels));
    return score.mean().accuracy;
  }
};

// Class 0: 1 of 3; class 1: 2 of 5; class 2: 1 of 2. The pixel without a label counts nowhere.
TEST_F(Segmenting, TheAccuracyIsTheMeanOfIntersectionOverUnion) {
  const double wanted = (1.0 / 3 + 2.0 / 5 + 1.0 / 2) / 3;
  EXPECT_NEAR(mean_iou({{sure({0, 1, 1, 2, 1, 0, 2, 0}, 3), maps({0, 1, 1, 2, 0, 1, 1, 255})}}), wanted,
              1e-6);
  // Counts add up over batches: it is no mean of means.
  EXPECT_NEAR(
      mean_iou({{sure({0, 1, 1, 2}, 3), maps({0, 1, 1, 2})}, {sure({1, 0, 2, 0}, 3), maps({0, 1, 1, 255})}}),
      wanted, 1e-6);
}

TEST_F(Segmenting, AClassThatTheNetworkDoesNotKnowIsWrong) {
  EXPECT_NEAR(mean_iou({{sure({0, 0, 1, 1}, 2), maps({0, 0, 1, 7})}}), (1.0 + 0.5 + 0.0) / 3, 1e-6);
}

TEST_F(Segmenting, TheLossIsTheMeanOverLabelledPixels) {
  const Outputs outputs = {torch::randn({1, 3, 2, 2})};
  const auto loss = [&](const std::vector<std::int64_t>& labels) {
    return loss_of(outputs, targets(maps(labels)), 0).item<double>();
  };
  const torch::Tensor logs = torch::log_softmax(outputs[0], 1)[0];
  const double first = -logs[1][0][0].item<double>(), last = -logs[2][1][1].item<double>();
  EXPECT_NEAR(loss({1, 255, 255, 2}), (first + last) / 2, 1e-5);
  EXPECT_EQ(loss({255, 255, 255, 255}), 0);
}

TEST_F(Segmenting, MapsOfAnotherSizeAreReduced) {
  const torch::Tensor large = maps({0, 1, 1, 2}).repeat_interleave(4, 1).repeat_interleave(4, 2);
  EXPECT_EQ(mean_iou({{sure({0, 1, 1, 2}, 3), large}}), 1);
}

TEST_F(Segmenting, OneScoreTellsTwoClassesApart) {
  testing::Net builder(kSmall);
  builder.conv("score", builder.conv_bn_relu("conv", testing::kImage, 8, testing::kThree), 1);
  const Graph graph = builder.build();
  const Supernet net = *Supernet::make(graph, to_tensors(random_weights(graph), torch::kCPU), {});
  Batch batch = random_images(2).batch(std::vector<std::int64_t>{0, 1});
  const torch::Tensor one = forward(net, batch, full_subnet(graph))[0];
  batch.labels = torch::zeros({2, 8, 8}, torch::kLong);
  const torch::Tensor two = forward(net, batch, full_subnet(graph))[0];
  ASSERT_EQ(two.size(1), 2);
  EXPECT_EQ(two.select(1, 0).abs().sum().item<double>(), 0);
  EXPECT_TRUE(torch::equal(two.select(1, 1), one.select(1, 0)));
}

}  // namespace
}  // namespace concertina::train
