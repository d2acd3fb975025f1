#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "kernels/bf16_conv.h"
#include "kernels/testing/targets.h"
#include "runtime/model_impl.h"
#include "testing/allocation_count.h"
#include "testing/models.h"
#include "testing/net.h"
#include "testing/sampled_graphs.h"

namespace concertina::runtime {
namespace {

using testing::Floats;
using ::testing::HasSubstr;

// Weights and inputs lose 16 bits in each layer; the worst seen is 9e-3.
constexpr double kRoundedBound = 0.03;
constexpr int kRoundedBatch = 3;
const ModelOptions kBf16{.precision = Precision::bf16};

class Bf16RuleTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (kernels::bf16_units().empty()) GTEST_SKIP() << "this machine has no instructions for bfloat16";
  }
  void TearDown() override { ASSERT_TRUE(kernels::limit_bf16_unit("")); }
};

class Bf16Test : public Bf16RuleTest, public ::testing::WithParamInterface<testing::NamedGraph> {};

TEST_P(Bf16Test, StaysCloseToFp32OnEveryUnit) {
  const Graph graph = GetParam().graph();
  const onnx::ModelFile file = testing::model_file(graph, testing::nested_subnets(graph, 4));
  const auto exact = testing::load(file);
  const Floats images = testing::random_images(*exact, kRoundedBatch);
  double worst = 0;
  for (const std::string& unit : kernels::bf16_units()) {
    ASSERT_TRUE(kernels::limit_bf16_unit(unit));
    const auto model = testing::load_rounded(file);  // it chooses the unit
    EXPECT_EQ(model->precision(), Precision::bf16);
    for (int i = 0; i < static_cast<int>(model->subnets().size()); ++i) {
      SCOPED_TRACE(i);
      const Floats wanted = testing::run_alone(exact, {.max_batch = kRoundedBatch}, images, kRoundedBatch, i);
      const Floats got = testing::run_alone(model, {.max_batch = kRoundedBatch}, images, kRoundedBatch, i);
      worst = std::max(worst, testing::relative_error(got, wanted));
      EXPECT_EQ(
          testing::run_alone(model, {.threads = 2, .max_batch = kRoundedBatch}, images, kRoundedBatch, i),
          got)
          << unit;
    }
  }
  EXPECT_LE(worst, kRoundedBound);
  EXPECT_GT(worst, 0);  // it is another precision
  RecordProperty("worst_error", std::to_string(worst * 1e6) + "e-6");
}

TEST_P(Bf16Test, RunsWithoutAllocating) {
  if (testing::allocation_count() < 0) GTEST_SKIP() << "a sanitizer owns operator new";
  const Graph graph = GetParam().graph();
  const auto model = testing::load_rounded(testing::model_file(graph, testing::nested_subnets(graph, 3)));
  auto session = Session::make(model, {.threads = 2, .max_batch = 2}).value();
  const Floats images = testing::random_images(*model, 2);
  Floats logits(2 * model->output_size());
  const std::int64_t before = testing::allocation_count();
  for (int i = 0; i < static_cast<int>(model->subnets().size()); ++i) {
    ASSERT_TRUE(session.run(images, 2, i, logits).ok());
  }
  EXPECT_EQ(testing::allocation_count(), before);
}

INSTANTIATE_TEST_SUITE_P(Networks, Bf16Test, ::testing::ValuesIn(testing::sampled_graphs()),
                         testing::name_of_graph);

TEST(Bf16, TakesLessMemoryWhereThereAreManyChannels) {
  if (kernels::bf16_units().empty()) GTEST_SKIP() << "this machine has no instructions for bfloat16";
  const Graph graph = testing::resnet8();
  const onnx::ModelFile file = testing::model_file(graph, testing::nested_subnets(graph, 1));
  EXPECT_LT(testing::load_rounded(file)->packed_bytes(), testing::load(file)->packed_bytes());
}

/// AVX-512 BF16 saves less than Winograd's algorithm, and nothing in short sums.
TEST_F(Bf16RuleTest, RunsWhereItPays) {
  const auto first = [](int in, int out, int kernel, int size) {
    testing::Net net(Shape{in, size, size});
    net.conv("conv", net.input(), out, Window::square(kernel, 1, kernel / 2));
    return layer_filters(net.build(), 1, Precision::bf16, false)[0].packings.front();
  };
  for (const std::string& unit : kernels::bf16_units()) {
    ASSERT_TRUE(kernels::limit_bf16_unit(unit));
    const bool always = unit == "AMX";
    EXPECT_EQ(first(256, 64, 1, 14), Packing::bf16);
    EXPECT_EQ(first(512, 512, 3, 7), Packing::bf16);
    EXPECT_EQ(first(3, 64, 7, 112), Packing::bf16);
    EXPECT_EQ(first(64, 64, 3, 56), always ? Packing::bf16 : Packing::winograd);
    EXPECT_EQ(first(32, 64, 1, 112), always ? Packing::bf16 : Packing::direct);
    EXPECT_EQ(first(128, 16, 1, 14), always ? Packing::bf16 : Packing::direct);
  }
}

TEST(Bf16, IsRefusedWhereTheMachineLacksIt) {
  const Graph graph = testing::resnet8();
  const onnx::ModelFile file = testing::model_file(graph, testing::nested_subnets(graph, 1));
  ASSERT_TRUE(kernels::limit_target(kernels::target_names().back()));  // it has no vectors of 512 bits
  const auto model = make_model(file, kBf16);
  ASSERT_TRUE(kernels::limit_target(""));
  ASSERT_FALSE(model);
  EXPECT_THAT(model.error().message,
              HasSubstr("neither AMX nor AVX-512 BF16, which bfloat16 needs; use fp32"));
}

}  // namespace
}  // namespace concertina::runtime
