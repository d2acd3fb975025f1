#include "train/supernet/fake_int8.h"

#include <gtest/gtest.h>

#include <cmath>

#include "graph/networks/networks.h"
#include "graph/quantization.h"
#include "kernels/int8_conv.h"
#include "testing/net.h"
#include "train/supernet/relative_error.h"
#include "train/supernet/supernet.h"
#include "train/supernet/tensor_ops.h"

namespace concertina::train {
namespace {

Compute rounding(torch::ScalarType dtype = torch::kFloat) {
  return {.dtype = dtype, .fake_int8 = true};
}

/// Runs all convolutions of the graph by LibTorch.
Compute by_libtorch(Compute compute, const Graph& graph) {
  for (const std::optional<ConvKind>& kind : conv_kinds(graph))
    if (kind) compute.convolutions.libtorch.insert(name_of(*kind));
  return compute;
}

/// What int8 holds of a value.
float held(float x, const Quantization& how) {
  const float level = std::nearbyint(x * (1 / how.scale)) + static_cast<float>(how.zero_point);
  return (std::min(std::max(level, 0.0F), 255.0F) - static_cast<float>(how.zero_point)) * how.scale;
}

TEST(FakeInt8, InputsAreWhatTheRangeOfAllOfThemHolds) {
  torch::manual_seed(1);
  const torch::Tensor mixed = channels_last(torch::randn({3, 4, 5, 6}));
  for (const torch::Tensor& x :
       {mixed, torch::relu(mixed) + 0.5, -torch::relu(mixed), torch::zeros({2, 3})}) {
    const auto all = x.contiguous().flatten();
    Interval range;
    for (std::int64_t i = 0; i < all.numel(); ++i) {
      range.low = std::min(range.low, all[i].item<float>());
      range.high = std::max(range.high, all[i].item<float>());
    }
    const Quantization how = quantization_of(range);
    const torch::Tensor got = fake_int8_input(x, {});
    EXPECT_EQ(got.strides(), x.strides());
    const auto rounded = got.contiguous().flatten();
    for (std::int64_t i = 0; i < all.numel(); ++i)
      ASSERT_EQ(rounded[i].item<float>(), held(all[i].item<float>(), how)) << i;
  }
}

TEST(FakeInt8, InputsOfBf16AreRoundedInFp32AndStayBf16) {
  torch::manual_seed(2);
  const torch::Tensor x = torch::randn({4, 8}).to(torch::kBFloat16);
  const torch::Tensor got = fake_int8_input(x, {});
  EXPECT_EQ(got.scalar_type(), torch::kBFloat16);
  EXPECT_TRUE(torch::equal(got, fake_int8_input(x.to(torch::kFloat), {}).to(torch::kBFloat16)));
}

TEST(FakeInt8, WeightsAreThoseOfTheKernel) {
  torch::manual_seed(3);
  torch::Tensor plain = torch::randn({5, 3, 3, 1});
  plain[2].zero_();
  const kernels::Filter filter{.out_channels = 5, .in_channels = 3, .taps = 3};
  std::vector<float> packed(kernels::packed_size_int8(filter));
  kernels::pack_int8(filter, plain.data_ptr<float>(), packed.data());
  const torch::Tensor weight = channels_last(plain), got = fake_int8_weight(weight);
  EXPECT_EQ(got.strides(), weight.strides());
  for (int k = 0; k < 5; ++k) {
    const auto scale = packed[static_cast<std::size_t>(k)];
    const auto all = plain[k].flatten(), rounded = got[k].contiguous().flatten();
    for (std::int64_t i = 0; i < all.numel(); ++i)
      ASSERT_EQ(rounded[i].item<float>(), std::nearbyint(all[i].item<float>() / scale) * scale) << k;
  }
}

TEST(FakeInt8, GradientsPassAsIfNothingHadBeenRounded) {
  const torch::Tensor x = torch::randn({3, 4}).requires_grad_(), w = torch::randn({2, 4}).requires_grad_();
  const torch::Tensor dx = torch::randn({3, 4}), dw = torch::randn({2, 4});
  fake_int8_input(x, {}).backward(dx);
  fake_int8_weight(w).backward(dw);
  EXPECT_TRUE(torch::equal(x.grad(), dx));
  EXPECT_TRUE(torch::equal(w.grad(), dw));
}

TEST(FakeInt8, WeightsHave8BitsWhereTheRuntimeMultipliesThem) {
  op::Conv conv;
  conv.in_channels = conv.out_channels = 8;
  EXPECT_TRUE(has_int8_weights(conv));
  for (const int groups : {2, 8}) {
    conv.groups = groups;
    EXPECT_FALSE(has_int8_weights(conv));
  }
  op::Linear linear;
  linear.in_features = linear.out_features = 8;
  EXPECT_TRUE(has_int8_weights(linear));
  EXPECT_FALSE(has_int8_weights(op::BatchNorm{}));
}

TEST(FakeInt8, ASubnetHasAPrefixOfTheRoundedFilter) {
  const Graph graph = *make_network({.name = "resnet8", .input = {3, 16, 16}, .classes = 4, .width = 0.5});
  Subnet subnet = full_subnet(graph);
  for (int& width : subnet.widths) width = (width + 1) / 2;
  const Tensors weights = initial_tensors(graph, 1);
  const Supernet net = *Supernet::make(graph, weights, rounding());
  int differ = 0;
  for (NodeId id = 0; id < graph.size(); ++id) {
    for (const Parameter& parameter : parameters(graph, id)) {
      if (parameter.name != "weight" || !has_int8_weights(graph.node(id).op)) continue;
      const torch::Tensor whole = fake_int8_weight(weights.at(parameter_name(graph.node(id), parameter)));
      const torch::Tensor part = net.active(id, parameter, subnet);
      ASSERT_TRUE(torch::equal(part, whole.narrow(0, 0, part.size(0)).narrow(1, 0, part.size(1))));
      const torch::Tensor plain = weights.at(parameter_name(graph.node(id), parameter));
      // Rounded by its own largest weights, it would be another.
      differ +=
          !torch::equal(part, fake_int8_weight(plain.narrow(0, 0, part.size(0)).narrow(1, 0, part.size(1))));
    }
  }
  EXPECT_GT(differ, 0);
}

/// A convolution, a depthwise one and a linear layer.
Graph three_layers() {
  testing::Net net({3, 8, 8});
  const NodeId first = net.conv("first", testing::kImage, 16, testing::kThree);
  net.classify(net.conv("depthwise", first, 16, testing::kThree, 16), 4);
  return net.build();
}

/// `value` in the forward pass, and in the backward pass x.
torch::Tensor straight_through(const torch::Tensor& x, const torch::Tensor& value) {
  return x + (value - x).detach();
}

class FakeInt8Net : public ::testing::TestWithParam<std::tuple<torch::ScalarType, bool>> {};

TEST_P(FakeInt8Net, ComputesAndDifferentiatesWhatPlainOpsDo) {
  const auto [dtype, own] = GetParam();
  torch::manual_seed(5);
  const Graph graph = three_layers();
  const Tensors start = initial_tensors(graph, 4);
  const Compute compute = own ? rounding(dtype) : by_libtorch(rounding(dtype), graph);
  const Supernet net = *Supernet::make(graph, start, compute);
  const torch::Tensor images = torch::randn({4, 3, 8, 8}), dy = torch::randn({4, 4});
  const torch::Tensor got = net.forward(images, full_subnet(graph));
  got.backward(dy);

  std::map<std::string, torch::Tensor> leaf;
  for (const auto& [name, tensor] : start) leaf[name] = tensor.detach().clone().requires_grad_();
  const auto cast = [type = dtype](const torch::Tensor& x) { return x.to(type).to(torch::kFloat); };
  const auto input = [&](const torch::Tensor& x) {
    return cast(straight_through(x, fake_int8_input(x.detach(), {})));
  };
  const auto bias = [&](const std::string& name) { return leaf.at(name + ".bias"); };
  const auto weight = [&](const std::string& name) {
    const torch::Tensor w = leaf.at(name + ".weight");
    return straight_through(w, fake_int8_weight(w.detach()));
  };
  torch::Tensor x = cast(images);
  x = cast(torch::conv2d(input(x), cast(weight("first")), bias("first"), {1, 1}, at::IntArrayRef{1, 1}));
  x = cast(torch::conv2d(input(x), cast(leaf.at("depthwise.weight")), bias("depthwise"), {1, 1},
                         at::IntArrayRef{1, 1}, {1, 1}, 16));
  x = x.mean({2, 3});  // from here on the network computes in fp32
  const torch::Tensor wanted =
      torch::linear(straight_through(x, fake_int8_input(x.detach(), {})), weight("fc"), bias("fc"));
  wanted.backward(dy);
  // A value close to a tie may be a step off. Without any rounding the outputs differ by more.
  const double bound = dtype == torch::kFloat ? 5e-4 : 5e-3;
  EXPECT_LT(relative_error(got.detach(), wanted.detach()), bound);
  for (const auto& [name, tensor] : net.weights())
    EXPECT_LT(relative_error(tensor.grad(), leaf.at(name).grad()), 10 * bound) << name;
  Compute exact = compute;
  exact.fake_int8 = false;
  const torch::Tensor unrounded = Supernet::make(graph, start, exact)->forward(images, full_subnet(graph));
  EXPECT_GT(relative_error(unrounded.detach(), wanted.detach()), bound);
}

INSTANTIATE_TEST_SUITE_P(Paths, FakeInt8Net,
                         ::testing::Combine(::testing::Values(torch::kFloat, torch::kBFloat16),
                                            ::testing::Bool()));

}  // namespace
}  // namespace concertina::train
