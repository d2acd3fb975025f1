#include "train/supernet/batch_norm.h"

#include <gtest/gtest.h>

#include "train/supernet/relative_error.h"
#include "train/supernet/tensor_ops.h"

namespace concertina::train {
namespace {

struct Case {
  std::vector<std::int64_t> shape;
  torch::ScalarType dtype;
  bool relu;
  bool residual = false;
};

class BatchNormTest : public ::testing::TestWithParam<Case> {};

/// The definition, in double and by LibTorch's own differentiation.
struct Expected {
  torch::Tensor y, mean, variance;
};
Expected expected(const torch::Tensor& x, const torch::Tensor& scale, const torch::Tensor& shift,
                  const torch::Tensor& residual, double epsilon, bool relu) {
  const std::vector<std::int64_t> over =
      x.dim() == 4 ? std::vector<std::int64_t>{0, 2, 3} : std::vector<std::int64_t>{0};
  const torch::Tensor mean = x.mean(over, true), centred = x - mean;
  const torch::Tensor variance = centred.square().mean(over, true);
  const auto like = mean.sizes();
  torch::Tensor y = centred / torch::sqrt(variance + epsilon) * scale.view(like) + shift.view(like);
  if (residual.defined()) y = y + residual;
  const auto n = static_cast<double>(x.numel() / x.size(1));
  return {relu ? torch::relu(y) : y, mean.flatten(), variance.flatten() * n / (n - 1)};
}

TEST_P(BatchNormTest, ComputesAndDifferentiatesTheDefinition) {
  const auto& [shape, dtype, relu, has_residual] = GetParam();
  torch::manual_seed(1);
  // Far from zero, so that a variance taken as a difference of squares would be wrong.
  torch::Tensor x = (torch::randn(shape) + 30).to(dtype);
  if (shape.size() == 4) x = x.contiguous(torch::MemoryFormat::ChannelsLast);
  x.requires_grad_();
  const torch::Tensor scale = (torch::rand({shape[1]}) + 0.5).requires_grad_();
  const torch::Tensor shift = torch::randn({shape[1]}).requires_grad_();
  const torch::Tensor exact_x = x.detach().to(torch::kDouble).requires_grad_();
  const torch::Tensor exact_scale = scale.detach().to(torch::kDouble).requires_grad_();
  const torch::Tensor exact_shift = shift.detach().to(torch::kDouble).requires_grad_();
  const torch::Tensor dy = torch::randn(shape).to(dtype);

  torch::Tensor residual, exact_residual;
  if (has_residual) {
    residual = channels_last(torch::randn(shape).to(dtype)).requires_grad_();
    exact_residual = residual.detach().to(torch::kDouble).requires_grad_();
  }
  const auto memory = std::make_shared<kernels::Workspace>();

  const BatchNormOutput got = batch_norm({x, scale, shift, 1e-5, residual, relu}, memory);
  const Expected wanted = expected(exact_x, exact_scale, exact_shift, exact_residual, 1e-5, relu);
  got.y.backward(dy);
  wanted.y.backward(dy.to(torch::kDouble));

  const double bound = dtype == torch::kFloat ? 1e-5 : 1e-2;
  EXPECT_LT(relative_error(got.y, wanted.y), bound);
  EXPECT_LT(relative_error(got.mean, wanted.mean), 1e-6);
  EXPECT_LT(relative_error(got.variance, wanted.variance), 1e-5);
  EXPECT_LT(relative_error(x.grad(), exact_x.grad()), bound);
  EXPECT_LT(relative_error(scale.grad(), exact_scale.grad()), bound);
  EXPECT_LT(relative_error(shift.grad(), exact_shift.grad()), bound);
  if (has_residual) {
    EXPECT_LT(relative_error(residual.grad(), exact_residual.grad()), bound);
  }
  EXPECT_EQ(got.y.dtype(), dtype);
  EXPECT_FALSE(got.mean.requires_grad());
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, BatchNormTest,
    ::testing::Values(Case{{8, 16, 7, 7}, torch::kFloat, false}, Case{{8, 6, 7, 5}, torch::kFloat, true},
                      Case{{5, 1, 3, 3}, torch::kFloat, true}, Case{{64, 33}, torch::kFloat, true},
                      Case{{8, 40, 7, 7}, torch::kBFloat16, false},
                      Case{{8, 6, 7, 5}, torch::kBFloat16, true},
                      Case{{8, 6, 7, 5}, torch::kFloat, true, true},
                      Case{{8, 6, 7, 5}, torch::kFloat, false, true}, Case{{9, 7}, torch::kFloat, true, true},
                      Case{{8, 16, 7, 7}, torch::kBFloat16, true, true}));

TEST(BatchNorm, OfAnUnusualLayoutIsTheSame) {
  const torch::Tensor x = torch::randn({4, 6, 5, 5});  // not channels last
  const torch::Tensor ones = torch::ones({6}), zeros = torch::zeros({6});
  const torch::Tensor same = x.contiguous(torch::MemoryFormat::ChannelsLast);
  const auto memory = std::make_shared<kernels::Workspace>();
  const auto y_of = [&](const torch::Tensor& map) {
    return batch_norm({.x = map, .scale = ones, .shift = zeros, .epsilon = 1e-5, .relu = true}, memory).y;
  };
  EXPECT_TRUE(torch::equal(y_of(x), y_of(same)));
}

}  // namespace
}  // namespace concertina::train
