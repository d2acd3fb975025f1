#include "train/joint/joint_step.h"

#include <gtest/gtest.h>

#include "graph/channel_groups.h"
#include "graph/networks/networks.h"
#include "train/supernet/tensor_ops.h"

namespace concertina::train {
namespace {

class JointStep : public ::testing::Test {
 protected:
  JointStep() { torch::manual_seed(1); }

  /// Gradient of a parameter after a step of the given kind.
  torch::Tensor gradient_of(const std::string& name, std::span<const JointMember> members,
                            recipe::Distillation distillation, double smoothing = 0) {
    for (const auto& [_, tensor] : net_.weights()) torch::Tensor(tensor).mutable_grad() = torch::Tensor();
    result_ = train_together(net_, members, batch_, {distillation, progress_, smoothing});
    return net_.weights().at(name).grad().clone();
  }

  /// The same of a loss that is given.
  torch::Tensor gradient_of(const std::string& name, const torch::Tensor& loss) {
    for (const auto& [_, tensor] : net_.weights()) torch::Tensor(tensor).mutable_grad() = torch::Tensor();
    loss.backward();
    return net_.weights().at(name).grad().clone();
  }

  static void expect_close(const torch::Tensor& a, const torch::Tensor& b) {
    EXPECT_LT((a - b).norm().item<double>(), 1e-4 * b.norm().item<double>());
  }

  const Graph graph_ = *make_network({.name = "resnet8", .input = {3, 16, 16}, .classes = 4, .width = 0.5});
  const Subnet full_ = full_subnet(graph_), half_ = uniform_subnet(*divide_channels(graph_, 4), 2),
               quarter_ = uniform_subnet(*divide_channels(graph_, 4), 1);
  const Supernet net_ = *Supernet::make(graph_, initial_tensors(graph_, 3), {});
  const Batch batch_{{torch::randn({8, 3, 16, 16})}, torch::tensor({0, 1, 2, 3, 0, 1, 2, 3}, torch::kLong)};
  const std::string first_ = graph_.node(1).name + ".weight";
  JointStepResult result_;
  double progress_ = 0.1;
};

TEST_F(JointStep, TheLargestLearnsFromLabelsTheOthersFromIt) {
  const JointMember members[] = {{full_}, {half_, nullptr, 0.5}};
  const torch::Tensor got = gradient_of(first_, members, recipe::Distillation::in_place, 0.1);
  const torch::Tensor logits = net_.forward(batch_.images(), full_),
                      other = net_.forward(batch_.images(), half_);
  const torch::Tensor labels = label_loss(logits, batch_.labels, 0.1),
                      taught = distillation_loss(other, torch::softmax(logits.detach(), 1));
  ASSERT_EQ(result_.losses.size(), 2u);
  EXPECT_NEAR(result_.losses[0], label_loss(logits, batch_.labels, 0).item<double>(), 1e-5);
  EXPECT_NEAR(result_.losses[1], label_loss(other, batch_.labels, 0).item<double>(), 1e-5);
  expect_close(got, gradient_of(first_, labels + 0.5 * taught));
  const search::Spending spent = search::training_spending(graph_, full_, 8);
  EXPECT_EQ(result_.spent.images, 16);
  EXPECT_DOUBLE_EQ(result_.spent.macs, spent.macs + search::training_spending(graph_, half_, 8).macs);
}

TEST_F(JointStep, AGrowingTeacherLeavesTheRestToTheLabels) {
  EXPECT_EQ(teacher_share({recipe::Distillation::growing, 0}), 0);
  EXPECT_NEAR(teacher_share({recipe::Distillation::growing, 0.14}), 0.2, 1e-12);
  EXPECT_EQ(teacher_share({recipe::Distillation::growing, 0.9}), 1);
  const JointMember members[] = {{full_}, {half_}};
  const torch::Tensor logits = net_.forward(batch_.images(), full_),
                      other = net_.forward(batch_.images(), half_);
  const torch::Tensor labels = label_loss(other, batch_.labels, 0),
                      taught = distillation_loss(other, torch::softmax(logits.detach(), 1));
  progress_ = 0.14;
  expect_close(gradient_of(first_, members, recipe::Distillation::growing),
               gradient_of(first_, label_loss(logits, batch_.labels, 0) + 0.8 * labels + 0.2 * taught));
}

TEST_F(JointStep, WithoutDistillationAllLearnFromLabels) {
  const JointMember members[] = {{full_}, {half_}};
  const torch::Tensor got = gradient_of(first_, members, recipe::Distillation::none, 0.1);
  expect_close(got,
               gradient_of(first_, label_loss(net_.forward(batch_.images(), full_), batch_.labels, 0.1) +
                                       label_loss(net_.forward(batch_.images(), half_), batch_.labels, 0)));
}

TEST_F(JointStep, MutuallyAllLearnFromTheMeanOfTheOthers) {
  const JointMember members[] = {{full_}, {half_}, {quarter_}};
  const torch::Tensor got = gradient_of(first_, members, recipe::Distillation::mutual);
  std::vector<torch::Tensor> logits, outputs;
  for (const JointMember& member : members) {
    logits.push_back(net_.forward(batch_.images(), member.subnet));
    outputs.push_back(torch::softmax(logits.back().detach(), 1));
  }
  const auto half_taught = [&](std::size_t i, std::size_t j, std::size_t k) {
    return (label_loss(logits[i], batch_.labels, 0) +
            distillation_loss(logits[i], (outputs[j] + outputs[k]) / 2)) /
           2;
  };
  expect_close(got, gradient_of(first_, label_loss(logits[0], batch_.labels, 0) + half_taught(1, 0, 2) +
                                            half_taught(2, 0, 1)));
}

}  // namespace
}  // namespace concertina::train
