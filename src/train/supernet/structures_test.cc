#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "graph/branches.h"
#include "onnx/network_file.h"
#include "testing/exporter_files.h"
#include "testing/graphs.h"
#include "train/search/activation_cache.h"
#include "train/supernet/supernet.h"
#include "train/supernet/tensor_ops.h"
#include "train/training_loop.h"

namespace concertina::train {
namespace {

/// Sub-nets of all kinds: the full one, about two thirds, a mixed one, the smallest, some that leave out more
/// and more branches, and some on smaller images.
std::vector<Subnet> some_subnets(const Graph& graph) {
  const Subnet full = full_subnet(graph);
  std::vector<Subnet> subnets(4, full);
  for (std::size_t d = 0; d < full.widths.size(); ++d) {
    const int width = full.widths[d];
    subnets[1].widths[d] = (width * 2 + 2) / 3;
    subnets[2].widths[d] =
        1 + static_cast<int>(CounterRandom(5, d).below(static_cast<std::uint64_t>(width), 0));
    subnets[3].widths[d] = 1;
  }
  for (Subnet& subnet : testing::leaving_out_branches(graph, subnets[1]))
    subnets.push_back(std::move(subnet));
  for (const Subnet& subnet : {subnets[2], subnets.back()}) {
    for (Subnet& small : testing::at_lower_resolutions(graph, subnet)) subnets.push_back(std::move(small));
  }
  return subnets;
}

/// Random everywhere, so that nothing is equal by chance.
Tensors random_tensors(const Graph& graph) {
  Tensors weights = initial_tensors(graph, 1);
  for (auto& [name, tensor] : weights) {
    if (tensor.dim() == 1) tensor += torch::rand_like(tensor) * 0.3;  // no root of what is below 0
  }
  return weights;
}

class StructuresTest : public ::testing::TestWithParam<testing::NamedGraph> {
 protected:
  const Graph& graph() const { return graph_; }

  /// Random values of an input: maps, or vectors.
  torch::Tensor input(NodeId id, std::int64_t count) const {
    const auto [channels, height, width] = graph().shape(id);
    return height * width > 1 ? torch::randn({count, channels, height, width})
                              : torch::randn({count, channels});
  }
  torch::Tensor images(std::int64_t count = 6) const { return input(0, count); }

  /// The values of inputs but the first.
  NodeValues more_inputs(std::int64_t count = 6) const {
    NodeValues values;
    for (NodeId id = 1; id < graph().inputs(); ++id) values[id] = input(id, count);
    return values;
  }

  /// Every output of the network, in their order.
  static std::vector<torch::Tensor> outputs(const Supernet& net, const torch::Tensor& images,
                                            const Subnet& subnet, ForwardOptions options) {
    const torch::NoGradGuard no_grad;
    std::vector<bool> keep(static_cast<std::size_t>(net.graph().size()), false);
    for (const NodeId output : net.graph().outputs()) keep[output] = true;
    NodeValues values;
    options.keep = &keep;
    options.kept = &values;
    const torch::Tensor first = net.forward(images, subnet, options);
    EXPECT_TRUE(torch::equal(first.flatten(), values.at(net.graph().output()).to(torch::kFloat).flatten()));
    std::vector<torch::Tensor> list;
    for (const NodeId output : net.graph().outputs()) list.push_back(values.at(output));
    return list;
  }

  static void expect_near(const std::vector<torch::Tensor>& got, const std::vector<torch::Tensor>& wanted,
                          const std::string& what, double bound = 1e-5) {
    ASSERT_EQ(got.size(), wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      ASSERT_EQ(got[i].sizes(), wanted[i].sizes()) << what;
      const double difference = (got[i] - wanted[i]).abs().max().item<double>();
      EXPECT_LE(difference, bound * std::max(1.0, wanted[i].abs().max().item<double>()))
          << what << " output " << i;
    }
  }

 private:
  Graph graph_ = GetParam().graph();
};

TEST_P(StructuresTest, HasSomethingToShrink) {
  EXPECT_EQ(graph().layout().free_dimensions > 0, GetParam().shrinks);
}

TEST_P(StructuresTest, ASubnetComputesWhatItsExtractedNetworkDoes) {
  const Tensors weights = random_tensors(graph());
  const Supernet net = *Supernet::make(graph(), weights, {});
  const torch::Tensor x = images();
  const NodeValues before = more_inputs();
  for (const Subnet& subnet : some_subnets(graph())) {
    StatisticsCollector collector;
    net.forward(x, subnet, {.collector = &collector, .before = &before});
    const Tensors statistics = collector.result();
    const Network part = extract({graph(), to_weights(weights)}, subnet, to_weights(statistics));
    const Tensors fixed = to_tensors(part.weights, torch::kCPU);
    const Supernet alone = *Supernet::make(part.graph, fixed, {});
    const Shape& image = part.graph.shape(part.graph.input());
    const torch::Tensor small = subnet.resolution > 0 ? scale(x, image.height, image.width) : x;
    const auto wanted = outputs(net, x, subnet, {.statistics = &statistics, .before = &before});
    if (subnet.resolution > 0) {
      expect_near(outputs(net, small, subnet, {.statistics = &statistics}), wanted, "images of its own size");
    }
    expect_near(wanted,
                outputs(alone, small, full_subnet(part.graph), {.statistics = &fixed, .before = &before}),
                to_string(subnet));
  }
}

TEST_P(StructuresTest, LearnsWithTheRoundingOfInt8) {
  const Supernet net = *Supernet::make(graph(), random_tensors(graph()), {.fake_int8 = true});
  const NodeValues before = more_inputs();
  const Subnet subnet = some_subnets(graph())[1];
  net.forward(images(), subnet, {.before = &before}).square().sum().backward();
  double sum = 0;
  for (const auto& [name, tensor] : net.weights())
    if (tensor.grad().defined()) sum += tensor.grad().square().sum().item<double>();
  EXPECT_GT(sum, 0);
  EXPECT_TRUE(std::isfinite(sum));
}

// By the batch's own statistics a batch norm and its ReLU are one pass, unless somebody else sees between
// them.
TEST_P(StructuresTest, AnOutputIsWhatItsNodeSays) {
  const Supernet net = *Supernet::make(graph(), random_tensors(graph()), {});
  const NodeValues before = more_inputs();
  const auto values = outputs(net, images(), full_subnet(graph()), {.before = &before});
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Node& node = graph().node(graph().outputs()[i]);
    const bool norm = std::holds_alternative<op::BatchNorm>(node.op);
    if (!norm && !std::holds_alternative<op::Activation>(node.op)) continue;
    EXPECT_EQ(values[i].min().item<double>() < 0, norm) << node.name;
  }
}

TEST_P(StructuresTest, OrderOfChannelsChangesNothing) {
  const Tensors weights = random_tensors(graph());
  const torch::Tensor x = images();
  const NodeValues before = more_inputs();
  const Subnet full = full_subnet(graph());
  std::vector<std::vector<int>> orders;
  for (std::size_t d = 0; d < full.widths.size(); ++d) {
    const auto order = CounterRandom(3, d).permutation(full.widths[d]);
    orders.emplace_back(order.begin(), order.end());
  }
  const Weights permuted = permute_channels(graph(), to_weights(weights), orders);
  const Supernet net = *Supernet::make(graph(), weights, {});
  const Supernet reordered = *Supernet::make(graph(), to_tensors(permuted, torch::kCPU), {});
  expect_near(outputs(reordered, x, full, {.before = &before}), outputs(net, x, full, {.before = &before}),
              "reordered", 1e-4);
}

/// A loss that looks at all outputs.
torch::Tensor loss_of(const Supernet& net, const torch::Tensor& x, const Subnet& subnet,
                      const NodeValues& before) {
  std::vector<bool> keep(static_cast<std::size_t>(net.graph().size()), false);
  for (const NodeId output : net.graph().outputs()) keep[output] = true;
  NodeValues values;
  net.forward(x, subnet, {.before = &before, .keep = &keep, .kept = &values});
  torch::Tensor loss = torch::zeros({});
  for (const auto& [id, value] : values) loss = loss + (value * torch::randn_like(value)).sum();
  return loss;
}

/// 1 where a sub-net uses a parameter, 0 elsewhere.
Tensors active_masks(const Graph& graph, const Tensors& weights, const Subnet& subnet) {
  const Supernet net = *Supernet::make(graph, weights, {});
  for (NodeId id = 0; id < graph.size(); ++id) {
    for (const Parameter& parameter : parameters(graph, id)) {
      if (!parameter.trainable) continue;
      const torch::Tensor part = net.active(id, parameter, subnet);
      if (part.requires_grad()) part.sum().backward();
    }
  }
  Tensors masks;
  for (const auto& [name, tensor] : net.weights()) masks[name] = tensor.grad();
  return masks;
}

TEST_P(StructuresTest, AStepChangesActiveParametersOnly) {
  const Tensors weights = random_tensors(graph());
  const torch::Tensor x = images();
  const NodeValues before = more_inputs();
  const Subnet subnet = some_subnets(graph())[1];
  const Tensors masks = active_masks(graph(), weights, subnet);
  const Supernet net = *Supernet::make(graph(), weights, {});
  recipe::Recipe::Training plain;
  plain.weight_decay = 0;
  const ScheduledOptimizer sgd = make_sgd(graph(), net.weights(), plain, 0.1);
  loss_of(net, x, subnet, before).backward();
  sgd.optimizer->step();
  bool some_inactive = false;
  for (const auto& [name, tensor] : net.weights()) {
    const torch::Tensor mask = masks.at(name), moved = tensor.detach() != weights.at(name);
    if (!tensor.requires_grad()) {
      EXPECT_FALSE(moved.any().item<bool>()) << name;
      continue;
    }
    // What a batch norm adds is what the next one behind linear layers takes away again.
    const bool undone = name.ends_with(".bias") && tensor.grad().abs().max().item<double>() < 1e-6;
    EXPECT_TRUE(undone || (moved * mask).any().item<bool>()) << name;
    EXPECT_EQ((tensor.grad() * (1 - mask)).abs().sum().item<double>(), 0) << name;
    EXPECT_FALSE((moved * (1 - mask)).any().item<bool>()) << name;
    some_inactive = some_inactive || (1 - mask).any().item<bool>();
  }
  EXPECT_EQ(some_inactive, GetParam().shrinks);
}

TEST_P(StructuresTest, GivesTheSameValuesFromTheFirstChangeOn) {
  const Supernet net = *Supernet::make(graph(), random_tensors(graph()), {});
  if (graph().inputs() > 1) GTEST_SKIP() << "the cache is for networks of one input";
  const torch::NoGradGuard no_grad;
  const torch::Tensor x = images();
  const Subnet base = some_subnets(graph())[1];
  ActivationCache cache(graph());
  cache.record(base);
  net.forward(x, base, cache.recording(0));
  for (std::size_t d = 0; d < base.widths.size(); ++d) {
    Subnet other = base;
    other.widths[d] = base.widths[d] > 1 ? base.widths[d] - 1 : base.widths[d] + 1;
    const torch::Tensor resumed = net.forward(x, other, cache.resuming(other, 0));
    EXPECT_TRUE(torch::equal(resumed, net.forward(x, other))) << "dimension " << d;
  }
  for (const Branch& branch : find_branches(graph())) {
    const Subnet other = *leave_out(graph(), base, branch);
    const torch::Tensor resumed = net.forward(x, other, cache.resuming(other, 0));
    EXPECT_TRUE(torch::equal(resumed, net.forward(x, other))) << to_string(other);
  }
  for (const Subnet& other : testing::at_lower_resolutions(graph(), base)) {
    const torch::Tensor resumed = net.forward(x, other, cache.resuming(other, 0));
    EXPECT_TRUE(torch::equal(resumed, net.forward(x, other))) << to_string(other);
  }
}

TEST_P(StructuresTest, Bf16IsCloseToFp32) {
  const Supernet net = *Supernet::make(graph(), random_tensors(graph()), {});
  const torch::Tensor x = images(64);
  const NodeValues before = more_inputs(64);
  const Subnet full = full_subnet(graph());
  const Supernet rounded = *Supernet::make(graph(), net.weights(), Compute{}.with(Precision::bf16));
  const torch::Tensor exact = net.forward(x, full, {.before = &before}).detach();
  const torch::Tensor got = rounded.forward(x, full, {.before = &before});
  got.square().sum().backward();
  EXPECT_LT(((got - exact).norm() / exact.norm()).item<double>(), 0.1);
}

TEST_P(StructuresTest, NoiseOnTheWeightsKeepsItsScalesDifferentiable) {
  const Supernet net = *Supernet::make(graph(), random_tensors(graph()), {});
  const NodeValues before = more_inputs();
  const NoiseScales noise(graph(), 0.1, torch::kCPU);
  const torch::Tensor y = net.forward(images(), full_subnet(graph()), {.noise = &noise, .before = &before});
  (y * torch::randn_like(y)).sum().backward();
  EXPECT_TRUE(torch::isfinite(y).all().item<bool>());
  double gradients = 0;
  for (const torch::Tensor& scale : noise.scales()) {
    if (scale.grad().defined()) gradients += scale.grad().abs().sum().item<double>();
  }
  EXPECT_EQ(gradients > 0, GetParam().shrinks);
  EXPECT_TRUE(std::isfinite(gradients));
}

/// The structures that people bring, as files.
std::vector<testing::NamedGraph> imported() {
  std::vector<testing::NamedGraph> list;
  for (const std::string& name : testing::test_networks())
    list.push_back({name, [name] { return onnx::parse_network(testing::test_network(name)).value().graph; }});
  return list;
}

INSTANTIATE_TEST_SUITE_P(Imported, StructuresTest, ::testing::ValuesIn(imported()), testing::name_of_graph);
INSTANTIATE_TEST_SUITE_P(Structures, StructuresTest, ::testing::ValuesIn(testing::structures()),
                         testing::name_of_graph);

}  // namespace
}  // namespace concertina::train
