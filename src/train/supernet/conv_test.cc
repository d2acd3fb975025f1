#include "train/supernet/conv.h"

#include <gtest/gtest.h>

#include "testing/graphs.h"
#include "train/supernet/relative_error.h"
#include "train/supernet/tensor_ops.h"

namespace concertina::train {
namespace {

MapMemory memory() {
  return std::make_shared<kernels::Workspace>();
}

struct ConvCase {
  op::Conv conv;  ///< with the channels that are active
  torch::Dtype dtype = torch::kFloat;
  std::int64_t spare = 0;  ///< channels of the array besides
};

class ConvTest : public ::testing::TestWithParam<ConvCase> {};

/// LibTorch's own convolution and differentiation, in double.
TEST_P(ConvTest, ComputesAndDifferentiatesWhatLibTorchDoes) {
  const auto& [conv_op, dtype, spare] = GetParam();
  torch::manual_seed(1);
  const std::int64_t in = conv_op.in_channels, out = conv_op.out_channels, groups = conv_op.groups;
  const Window& w = conv_op.window;
  const torch::Tensor x = channels_last(torch::randn({3, in, 9, 12}).to(dtype)).requires_grad_();
  const std::int64_t extra = groups == 1 ? spare : 0;
  const torch::Tensor weight =
      channels_last(torch::randn({out + spare, in / groups + extra, w.kernel_h, w.kernel_w}))
          .requires_grad_();
  const torch::Tensor bias = torch::randn({out}).requires_grad_();
  const torch::Tensor exact_x = x.detach().to(torch::kDouble).requires_grad_();
  const torch::Tensor exact_weight = weight.detach().to(torch::kDouble).requires_grad_();
  const torch::Tensor exact_bias = bias.detach().to(torch::kDouble).requires_grad_();

  ASSERT_TRUE(has_own_kernels(conv_op));
  const ConvOutput got = conv(x, {weight, out, bias}, conv_op, groups, true, memory());
  const torch::Tensor wanted = torch::conv2d(
      exact_x, exact_weight.narrow(0, 0, out).narrow(1, 0, in / groups), exact_bias, {w.stride_h, w.stride_w},
      at::IntArrayRef{w.pad_top, w.pad_left}, {w.dilation_h, w.dilation_w}, groups);
  ASSERT_EQ(got.y.sizes(), wanted.sizes());
  ASSERT_EQ(got.y.scalar_type(), dtype);
  const torch::Tensor dy = torch::randn(wanted.sizes(), torch::kDouble);
  // Twice, as two sub-nets of a step do.
  got.y.backward(dy.to(dtype));
  conv(x, {weight, out, bias}, conv_op, groups, false, memory()).y.backward(dy.to(dtype));
  wanted.backward(2 * dy);

  const double bound = dtype == torch::kFloat ? 5e-6 : 1e-2;
  EXPECT_LT(relative_error(got.y, wanted), bound);
  EXPECT_LT(relative_error(got.moments.mean, wanted.mean({0, 2, 3})), bound);
  EXPECT_LT(relative_error(got.moments.variance, wanted.var({0, 2, 3}, false)), bound);
  EXPECT_LT(relative_error(x.grad(), exact_x.grad()), bound);
  EXPECT_LT(relative_error(weight.grad(), exact_weight.grad()), bound);
  EXPECT_LT(relative_error(bias.grad(), exact_bias.grad()), bound);
  EXPECT_EQ(weight.grad().narrow(0, out, spare).abs().sum().item<double>(), 0);
}

op::Conv conv_of(int in, int out, const Window& window, int groups = 1) {
  op::Conv conv;
  conv.in_channels = in;
  conv.out_channels = out;
  conv.window = window;
  conv.groups = groups;
  return conv;
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, ConvTest,
    ::testing::Values(ConvCase{conv_of(6, 10, Window::square(3, 1, 1)), torch::kFloat, 5},
                      ConvCase{conv_of(6, 10, Window::square(3, 2, 1)), torch::kFloat, 5},
                      ConvCase{conv_of(3, 16, Window::square(7, 2, 3)), torch::kFloat, 0},
                      ConvCase{conv_of(20, 33, Window::square(1)), torch::kFloat, 2},
                      ConvCase{conv_of(6, 10, Window::square(3, 1, 1)), torch::kBFloat16, 5},
                      ConvCase{conv_of(16, 40, Window::square(3, 2, 1)), torch::kBFloat16, 3},
                      ConvCase{conv_of(16, 32, Window::square(3, 1, 1), 2), torch::kFloat, 0},
                      ConvCase{conv_of(19, 19, Window::square(3, 1, 1), 19), torch::kFloat, 7},
                      ConvCase{conv_of(19, 19, Window::square(3, 2, 1), 19), torch::kBFloat16, 7}));

TEST(Conv, DifferentiatesAWeightThatIsNoLeaf) {
  torch::manual_seed(1);
  const op::Conv op = conv_of(4, 6, Window::square(3, 1, 1));
  const torch::Tensor x = channels_last(torch::randn({2, 4, 5, 5}));
  const torch::Tensor leaf = channels_last(torch::randn({6, 4, 3, 3})).requires_grad_();
  const torch::Tensor other = leaf.detach().clone().requires_grad_();
  conv(x, {2 * leaf, 6, {}}, op, 1, false, memory()).y.square().sum().backward();
  torch::conv2d(x, 2 * other, {}, {1, 1}, at::IntArrayRef{1, 1}).square().sum().backward();
  EXPECT_LT(relative_error(leaf.grad(), other.grad()), 1e-5);
}

TEST(Conv, FollowsFiniteDifferences) {
  torch::manual_seed(2);
  const op::Conv op = conv_of(2, 3, Window::square(3, 2, 1));
  const torch::Tensor x = channels_last(torch::randn({1, 2, 5, 5}));
  const torch::Tensor weight = channels_last(torch::randn({3, 2, 3, 3})).requires_grad_();
  const auto loss = [&] { return conv(x, {weight, 3, {}}, op, 1, false, memory()).y.pow(2).sum(); };
  loss().backward();
  const torch::NoGradGuard no_grad;
  constexpr double kStep = 1e-2;
  for (std::int64_t i = 0; i < weight.numel(); ++i) {
    float* const value = weight.data_ptr<float>() + i;
    const float before = *value;
    *value = static_cast<float>(before + kStep);
    const double above = loss().item<double>();
    *value = static_cast<float>(before - kStep);
    const double below = loss().item<double>();
    *value = before;
    const double wanted = (above - below) / (2 * kStep);
    EXPECT_NEAR(weight.grad().data_ptr<float>()[i], wanted, 1e-2 * std::abs(wanted) + 1e-2) << i;
  }
}

TEST(Conv, LibTorchIsLeftWhatOurKernelsDoNotDo) {
  EXPECT_TRUE(convolutions_of_libtorch(testing::resnet8()).empty());
  for (const testing::NamedGraph& net : testing::structures()) {
    if (net.name != "transposed") continue;
    EXPECT_FALSE(convolutions_of_libtorch(net.graph()).empty());
  }
  EXPECT_FALSE(has_own_kernels(conv_of(12, 12, Window::square(3, 1, 1), 4)));
  EXPECT_TRUE(has_own_kernels(conv_of(12, 12, Window::square(3, 1, 1), 12)));
}

/// LibTorch's convolution with a stride would corrupt the heap where few channels are active.
TEST(Conv, LibTorchIsAskedForSinglePixelsWithoutAStride) {
  torch::manual_seed(1);
  const op::Conv op = conv_of(2, 4, Window::square(1, 2, 0));
  const torch::Tensor x = channels_last(torch::randn({10, 2, 32, 31})).requires_grad_();
  const torch::Tensor weight = channels_last(torch::randn({4, 2, 1, 1})).requires_grad_();
  const torch::Tensor exact = x.detach().to(torch::kDouble).requires_grad_();
  const torch::Tensor wanted = torch::conv2d(exact, weight.detach().to(torch::kDouble), {}, {2, 2});
  const torch::Tensor dy = torch::randn(wanted.sizes(), torch::kDouble);
  wanted.backward(dy);
  for (int i = 0; i < 20; ++i) {
    const torch::Tensor y = plain_conv(x, weight, {}, 1, op);
    ASSERT_LT(relative_error(y, wanted), 1e-6);
    x.mutable_grad() = torch::Tensor();
    y.backward(dy.to(torch::kFloat));
    ASSERT_LT(relative_error(x.grad(), exact.grad()), 1e-6);
  }
}

TEST(Conv, PadsUnevenly) {
  torch::manual_seed(3);
  Window window = Window::square(3, 2, 0);
  window.pad_bottom = window.pad_right = 1;
  const op::Conv op = conv_of(4, 6, window);
  const torch::Tensor x = channels_last(torch::randn({2, 4, 8, 6})).requires_grad_();
  const torch::Tensor other = x.detach().clone().requires_grad_();
  const torch::Tensor weight = channels_last(torch::randn({6, 4, 3, 3}));
  const torch::Tensor y = conv(x, {weight, 6, {}}, op, 1, false, memory()).y;
  const torch::Tensor wanted = torch::conv2d(torch::constant_pad_nd(other, {0, 1, 0, 1}), weight, {}, {2, 2});
  ASSERT_EQ(y.sizes(), wanted.sizes());
  y.square().sum().backward();
  wanted.square().sum().backward();
  EXPECT_LT(relative_error(y, wanted), 1e-5);
  EXPECT_LT(relative_error(x.grad(), other.grad()), 1e-5);
}

/// Of layers that share their weights, one of which LibTorch computes.
TEST(Conv, AddsToWhatOthersSayOfTheSameWeights) {
  torch::manual_seed(4);
  const op::Conv op = conv_of(4, 4, Window::square(3, 1, 1));
  const torch::Tensor x = channels_last(torch::randn({2, 4, 5, 5}));
  const torch::Tensor weight = channels_last(torch::randn({4, 4, 3, 3})).requires_grad_();
  const torch::Tensor other = weight.detach().clone().requires_grad_();
  const auto theirs = [](const torch::Tensor& map, const torch::Tensor& filters) {
    return torch::conv2d(map, filters, {}, {1, 1}, at::IntArrayRef{1, 1});
  };
  theirs(conv(conv(x, {weight, 4, {}}, op, 1, false, memory()).y, {weight, 4, {}}, op, 1, false, memory()).y,
         weight)
      .square()
      .sum()
      .backward();
  theirs(theirs(theirs(x, other), other), other).square().sum().backward();
  EXPECT_LT(relative_error(weight.grad(), other.grad()), 1e-4);
}

TEST(Conv, FrozenWeightsStayAsTheyAre) {
  const op::Conv op = conv_of(2, 3, Window::square(3, 1, 1));
  const torch::Tensor x = channels_last(torch::randn({1, 2, 5, 5})).requires_grad_();
  const torch::Tensor weight = channels_last(torch::randn({3, 2, 3, 3}));
  conv(x, {weight, 3, {}}, op, 1, false, memory()).y.sum().backward();
  EXPECT_TRUE(x.grad().defined());
  EXPECT_FALSE(weight.grad().defined());
}

}  // namespace
}  // namespace concertina::train
