#include "train/averaged_weights.h"

#include <gtest/gtest.h>

namespace concertina::train {
namespace {

double value(const Tensors& tensors) {
  return tensors.at("w").item<double>();
}

TEST(AveragedWeights, FollowTheWeights) {
  const Tensors weights = {{"w", torch::zeros({1}).requires_grad_()}};
  AveragedWeights averaged = AveragedWeights::start(weights);
  {
    const torch::NoGradGuard no_grad;
    torch::Tensor(weights.at("w")).fill_(1);
  }
  EXPECT_EQ(value(averaged.latest), 1);
  EXPECT_EQ(value(averaged.averaged), 0);
  averaged.update(0);  // short at first: decays by 1/10
  EXPECT_NEAR(value(averaged.averaged), 0.9, 1e-6);
  averaged.update(1'000'000);
  EXPECT_NEAR(value(averaged.averaged), 0.9 + 0.002 * 0.1, 1e-6);
}

TEST(AveragedWeights, ComeBackFromACheckpoint) {
  const AveragedWeights weights{.latest = {{"w", torch::ones({1})}}, .averaged = {{"w", torch::zeros({1})}}};
  const AveragedWeights back = AveragedWeights::unpack(weights.packed());
  EXPECT_EQ(back.latest.size(), 1u);
  EXPECT_EQ(value(back.latest), 1);
  EXPECT_EQ(value(back.averaged), 0);
  EXPECT_EQ(value(AveragedWeights::unpack(weights.latest).averaged), 1);
}

}  // namespace
}  // namespace concertina::train
