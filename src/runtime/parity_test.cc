#include <gtest/gtest.h>

#include <limits>

#include "kernels/testing/targets.h"
#include "runtime/reference_interpreter.h"
#include "testing/models.h"
#include "testing/sampled_graphs.h"

// The runtime computes what the reference interpreter computes of the extracted sub-net.
namespace concertina::runtime {
namespace {

using testing::Floats;

// Every layer rounds its sums to fp32 where the reference adds in double; the worst seen is 6e-7.
constexpr double kParityBound = 3e-6;
constexpr int kParityBatch = 3;

// Winograd's algorithm rounds more; see kernels/winograd_test.cc.
constexpr double kWinogradBound = 2e-5;

class ParityTest : public ::testing::TestWithParam<testing::NamedGraph> {
 protected:
  void TearDown() override { ASSERT_TRUE(kernels::limit_target("")); }
};

/// Of each input or output.
Floats first_images(const Floats& all, std::span<const TensorInfo> parts) {
  Floats first;
  auto at = all.begin();
  for (const TensorInfo& part : parts) {
    const auto size = static_cast<std::ptrdiff_t>(part.size());
    first.insert(first.end(), at, at + size);
    at += kParityBatch * size;
  }
  return first;
}

/// Down to one channel in each dimension, then to none where that can be, then to smaller images.
std::vector<Subnet> test_subnets(const Graph& graph) {
  std::vector<Subnet> subnets = testing::nested_subnets(graph, 4);
  const Subnet smallest{std::vector(subnets[0].widths.size(), 1)};
  if (subnets.back() != smallest) subnets.push_back(smallest);
  for (Subnet& subnet : testing::leaving_out_branches(graph, smallest)) subnets.push_back(std::move(subnet));
  for (Subnet& subnet : testing::at_lower_resolutions(graph, subnets.back()))
    subnets.push_back(std::move(subnet));
  return subnets;
}

std::vector<Floats> wanted_logits(const onnx::ModelFile& file, const Floats& images) {
  std::vector<Floats> wanted;
  for (const onnx::SubnetRecord& record : file.subnets) {
    auto logits = reference_run(file.network, record.subnet, record.own, images, kParityBatch);
    EXPECT_TRUE(logits) << logits.error().message;
    wanted.push_back(std::move(logits).value());
  }
  return wanted;
}

TEST_P(ParityTest, EverySubnetOnEveryTarget) {
  const Graph graph = GetParam().graph();
  const onnx::ModelFile file = testing::model_file(graph, test_subnets(graph));
  const Floats images = testing::random_images(*testing::load(file), kParityBatch);
  const std::vector<Floats> wanted = wanted_logits(file, images);
  double worst = 0;
  for (const std::string& target : kernels::target_names()) {
    ASSERT_TRUE(kernels::limit_target(target));
    const auto model = testing::load(file);
    for (const int threads : {1, 2}) {
      auto session = Session::make(model, {.threads = threads, .max_batch = kParityBatch});
      ASSERT_TRUE(session) << session.error().message;
      for (int i = 0; i < static_cast<int>(wanted.size()); ++i) {
        SCOPED_TRACE(target + ", sub-net " + to_string(model->subnets()[i].subnet));
        const Floats& all = wanted[i];
        worst =
            std::max(worst, testing::relative_error(testing::run(*session, images, kParityBatch, i), all));
        const Floats one = testing::run(*session, first_images(images, model->inputs()), 1, i);
        worst = std::max(worst, testing::relative_error(one, first_images(all, model->outputs())));
        EXPECT_LE(worst, kParityBound);
      }
    }
  }
  RecordProperty("worst_error", std::to_string(worst * 1e9) + "e-9");
}

/// Kernels that the rules of thumb would not choose.
TEST_P(ParityTest, EverySubnetWithTheLastPacking) {
  const Graph graph = GetParam().graph();
  const onnx::ModelFile file = testing::model_file(graph, test_subnets(graph));
  const KernelPolicy last{
      .packings = [](const Node&, const LayerFilter& filter) { return std::vector{filter.packings.back()}; },
      .kernels = [](int) -> ChooseKernel {
        return [](const Node&, std::span<const ConvChoice> choices) { return choices.back(); };
      }};
  const auto model = make_model(file, Precision::fp32, last);
  ASSERT_TRUE(model) << model.error().message;
  const Floats images = testing::random_images(**model, kParityBatch);
  const std::vector<Floats> wanted = wanted_logits(file, images);
  for (int i = 0; i < static_cast<int>(wanted.size()); ++i) {
    const Floats got = testing::run_alone(*model, {.max_batch = kParityBatch}, images, kParityBatch, i);
    EXPECT_LE(testing::relative_error(got, wanted[i]), kWinogradBound) << i;
  }
}

TEST_P(ParityTest, SubnetsAreNotAllTheSame) {
  const Graph graph = GetParam().graph();
  const auto model = testing::load(testing::model_file(graph, testing::nested_subnets(graph, 3)));
  const Floats images = testing::random_images(*model, 1);
  for (int i = 1; i < static_cast<int>(model->subnets().size()); ++i) {
    EXPECT_GT(testing::relative_error(testing::run_alone(model, {}, images, 1, i),
                                      testing::run_alone(model, {}, images, 1, i - 1)),
              1e-4);
  }
}

/// A memory of exactly the planned size, full of NaN, changes nothing: no step reads what no step wrote.
TEST_P(ParityTest, NothingIsReadThatWasNotWritten) {
  const Graph graph = GetParam().graph();
  const onnx::ModelFile file = testing::model_file(graph, testing::nested_subnets(graph, 3));
  const auto model = testing::load(file);
  const Floats images = testing::random_images(*model, kParityBatch);
  ThreadPool caller(1);
  for (std::size_t i = 0; i < file.subnets.size(); ++i) {
    const Plan& plan = model->impl().plans[i];
    AlignedBuffer arena(static_cast<std::size_t>(plan.arena_floats) * kParityBatch);
    for (float& v : arena.span()) v = std::numeric_limits<float>::quiet_NaN();
    AlignedBuffer workspace(plan.workspace_floats);
    for (float& v : workspace.span()) v = std::numeric_limits<float>::quiet_NaN();
    Floats logits(kParityBatch * model->output_size());
    const Frame frame{.batch = kParityBatch,
                      .images = images.data(),
                      .logits = logits.data(),
                      .arena = arena.data(),
                      .workspace = workspace.data(),
                      .pool = caller,
                      .caller = caller};
    for (const Step& step : plan.steps) run(step, frame);
    EXPECT_EQ(logits, testing::run_alone(model, {.max_batch = kParityBatch}, images, kParityBatch,
                                         static_cast<int>(i)));
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, ParityTest, ::testing::ValuesIn(testing::sampled_graphs()),
                         testing::name_of_graph);

}  // namespace
}  // namespace concertina::runtime
