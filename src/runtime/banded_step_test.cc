#include <gtest/gtest.h>

#include <limits>

#include "base/aligned_buffer.h"
#include "graph/networks/networks.h"
#include "kernels/bf16_conv.h"
#include "testing/allocation_count.h"
#include "testing/models.h"
#include "testing/net.h"
#include "testing/sampled_graphs.h"

namespace concertina::runtime {
namespace {

using testing::Floats;

constexpr int kBandedBatch = 3;
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr BandPolicy kNever{.large_map = kMost};
constexpr BandPolicy kOneRow{.large_map = 1, .memory = 1, .most_memory = kMost, .weight_cost = 0};
constexpr BandPolicy kSomeRows{.large_map = 1, .memory = 12 * 1024, .most_memory = kMost, .weight_cost = 0};

/// Of each layer's kernels.
enum class Choice { first, last };

std::shared_ptr<const Model> load(const onnx::ModelFile& file, const BandPolicy& bands,
                                  Precision precision = Precision::fp32, Choice choice = Choice::first) {
  KernelPolicy policy = default_kernels();
  policy.bands = bands;
  if (choice == Choice::last) {
    policy.packings = [](const Node&, const LayerFilter& filter) {
      return std::vector{filter.packings.back()};
    };
    policy.kernels = [](int) -> ChooseKernel {
      return [](const Node&, std::span<const ConvChoice> choices) { return choices.back(); };
    };
  }
  auto model = make_model(file, precision, policy);
  EXPECT_TRUE(model) << model.error().message;
  return std::move(model).value();
}

int banded_steps(const Model& model) {
  int count = 0;
  for (const Plan& plan : model.impl().plans) {
    for (const Step& step : plan.steps) count += std::holds_alternative<BandedStep>(step) ? 1 : 0;
  }
  return count;
}

/// Every step of the plan in memory of just the planned size, full of NaN, by `threads` threads.
Floats run_steps(const Model& model, const Plan& plan, const Floats& images, int batch, int threads) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  AlignedBuffer arena(static_cast<std::size_t>(plan.arena_floats * batch));
  AlignedBuffer workspace(plan.workspace_floats * static_cast<std::size_t>(threads));
  for (float& v : arena.span()) v = nan;
  for (float& v : workspace.span()) v = nan;
  Floats logits(static_cast<std::size_t>(batch) * model.output_size());
  ThreadPool pool(threads), caller(1);
  const Frame frame{.batch = batch,
                    .images = images.data(),
                    .logits = logits.data(),
                    .arena = arena.data(),
                    .workspace = workspace.data(),
                    .pool = pool,
                    .caller = caller};
  for (const Step& step : plan.steps) run(step, frame);
  return logits;
}

class BandsTest : public ::testing::TestWithParam<testing::NamedGraph> {
 protected:
  void expect_same_bits(Precision precision, Choice choice) {
    const Graph graph = GetParam().graph();
    const onnx::ModelFile file = testing::model_file(graph, testing::nested_subnets(graph, 3));
    const auto whole = load(file, kNever, precision, choice);
    const Floats images = testing::random_images(*whole, kBandedBatch);
    EXPECT_EQ(banded_steps(*whole), 0);
    for (const BandPolicy& bands : {kOneRow, kSomeRows}) {
      const auto banded = load(file, bands, precision, choice);
      for (std::size_t i = 0; i < file.subnets.size(); ++i) {
        SCOPED_TRACE(i);
        const Plan& plan = banded->impl().plans[i];
        const Floats wanted = run_steps(*whole, whole->impl().plans[i], images, kBandedBatch, 1);
        for (const int threads : {1, 2, 4}) {  // a batch of 3: whole images, and parts of them
          EXPECT_EQ(run_steps(*banded, plan, images, kBandedBatch, threads), wanted) << threads;
        }
        EXPECT_EQ(testing::run_alone(banded, {.threads = 2, .max_batch = kBandedBatch}, images, kBandedBatch,
                                     static_cast<int>(i)),
                  wanted);
      }
    }
  }
};

TEST_P(BandsTest, GiveTheSameBits) {
  expect_same_bits(Precision::fp32, Choice::first);
}

TEST_P(BandsTest, GiveTheSameBitsWithOtherKernels) {
  expect_same_bits(Precision::fp32, Choice::last);
}

TEST_P(BandsTest, GiveTheSameBitsInBfloat16) {
  if (kernels::bf16_units().empty()) GTEST_SKIP() << "this machine has no instructions for bfloat16";
  expect_same_bits(Precision::bf16, Choice::first);
}

INSTANTIATE_TEST_SUITE_P(Networks, BandsTest, ::testing::ValuesIn(testing::sampled_graphs()),
                         testing::name_of_graph);

TEST(BandedStep, IsInMostOfTheNetworks) {
  int banded = 0, all = 0;
  for (const testing::NamedGraph& net : testing::test_graphs()) {
    const Graph graph = net.graph();
    ++all;
    banded += banded_steps(*load(testing::model_file(graph, {full_subnet(graph)}), kOneRow)) > 0 ? 1 : 0;
  }
  EXPECT_GT(2 * banded, all);
}

/// Seven layers in a row, of which the second one's output is read twice.
Graph chain_with_a_fork() {
  using testing::kImage, testing::kOne, testing::kThree;
  testing::Net net({3, 24, 20});
  const NodeId a = net.conv("a", kImage, 12, kThree);
  const NodeId b = net.conv("b", a, 12, kThree);
  const NodeId c = net.conv("c", b, 34, kOne);
  const NodeId d = net.max_pool("d", c, testing::kTwo);
  const NodeId e = net.conv("e", d, 12, kThree);
  const NodeId f = net.max_pool("f", b, testing::kTwo);
  const NodeId sum = net.sum("sum", e, f);
  net.classify(sum, 7);
  return net.build();
}

onnx::ModelFile fork_file() {
  const Graph graph = chain_with_a_fork();
  return testing::model_file(graph, testing::nested_subnets(graph, 2));
}

TEST(BandedStep, EndsWhereAMapIsReadTwice) {
  const auto model = load(fork_file(), kOneRow);
  const Plan& plan = model->impl().plans[0];
  std::vector<std::size_t> layers;
  for (const Step& step : plan.steps) {
    if (const auto* banded = std::get_if<BandedStep>(&step)) layers.push_back(banded->layers.size());
  }
  // The image is read in planes. e adds f's output.
  EXPECT_EQ(layers, (std::vector<std::size_t>{2, 2}));
}

TEST(BandedStep, KeepsItsMapsOutOfTheArena) {
  const onnx::ModelFile file = fork_file();
  const auto whole = load(file, kNever), banded = load(file, kOneRow);
  const Plan& plan = banded->impl().plans[0];
  EXPECT_LT(plan.arena_floats, whole->impl().plans[0].arena_floats);
  for (const Step& step : plan.steps) {
    const auto* bands = std::get_if<BandedStep>(&step);
    if (bands == nullptr) continue;
    EXPECT_EQ(bands->rows, 1);
    EXPECT_LE(static_cast<std::size_t>(bands->memory), plan.workspace_floats);
  }
}

TEST(BandedStep, EveryLayerIsStillProfiled) {
  const onnx::ModelFile file = fork_file();
  const auto whole = load(file, kNever), banded = load(file, kOneRow);
  const Floats images = testing::random_images(*banded, kBandedBatch);
  for (const int threads : {1, 2}) {
    const SessionOptions options{.threads = threads, .max_batch = kBandedBatch};
    auto a = Session::make(whole, options).value();
    auto b = Session::make(banded, options).value();
    EXPECT_LT(b.steps(0), a.steps(0));
    const auto expected = a.profile(images, kBandedBatch, 0, 3).value(),
               steps = b.profile(images, kBandedBatch, 0, 3).value();
    ASSERT_EQ(steps.size(), expected.size());
    for (std::size_t i = 0; i < steps.size(); ++i) {
      EXPECT_EQ(steps[i].name, expected[i].name);
      EXPECT_EQ(steps[i].macs, expected[i].macs);
      EXPECT_GE(steps[i].median_ms, 0);
    }
  }
}

TEST(BandedStep, RunsWithoutAllocating) {
  if (testing::allocation_count() < 0) GTEST_SKIP() << "a sanitizer owns operator new";
  const auto model = load(fork_file(), kSomeRows);
  ASSERT_GT(banded_steps(*model), 0);
  auto session = Session::make(model, {.threads = 2, .max_batch = 2}).value();
  const Floats images = testing::random_images(*model, 2);
  Floats logits(2 * model->output_size());
  const std::int64_t before = testing::allocation_count();
  ASSERT_TRUE(session.run(images, 2, 0, logits));
  EXPECT_EQ(testing::allocation_count(), before);
}

TEST(BandedStep, LargeMapsAreWorthIt) {
  const auto first_chain = [](const char* network, int size) {
    const Graph graph = *make_network({.name = network, .input = {3, size, size}});
    const auto model = testing::load(testing::model_file(graph, {full_subnet(graph)}));
    const auto* banded = std::get_if<BandedStep>(&model->impl().plans[0].steps[0]);
    return banded == nullptr ? std::size_t{0} : banded->layers.size();
  };
  EXPECT_GE(first_chain("mobilenet_v1", 224), 6U);
  const std::size_t of_resnet = first_chain("resnet18", 224);
  EXPECT_GE(of_resnet, 2U) << "stem and pooling";
  EXPECT_LE(of_resnet, 3U) << "and the image, where no row tile reads it in planes";
  EXPECT_EQ(first_chain("resnet20", 32), 0U);
}

}  // namespace
}  // namespace concertina::runtime
