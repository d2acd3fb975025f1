#include "runtime/transposed.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "kernels/bf16_conv.h"
#include "runtime/model_impl.h"
#include "runtime/reference_interpreter.h"
#include "testing/models.h"
#include "testing/net.h"

namespace concertina::runtime {
namespace {

using ::testing::ElementsAre;

op::Conv transposed(const Window& window, int step) {
  op::Conv conv;
  conv.in_channels = conv.out_channels = 4;
  conv.window = window;
  conv.input_dilation_h = conv.input_dilation_w = step;
  return conv;
}

TEST(TransposedParts, OfAnUpsamplingByTwoHaveOneTapEach) {
  const std::vector<TransposedPart> parts = parts_of(transposed(Window::square(2, 1, 1), 2));
  ASSERT_EQ(parts.size(), 4);
  std::vector<int> taps;
  for (const TransposedPart& part : parts) {
    EXPECT_EQ(part.window.kernel_h * part.window.kernel_w, 1);
    EXPECT_EQ(part.window.pad_top + part.window.pad_left, 0);
    taps.insert(taps.end(), part.taps.begin(), part.taps.end());
  }
  EXPECT_THAT(taps, ElementsAre(3, 2, 1, 0));
}

TEST(TransposedParts, HaveAllTapsOnce) {
  for (const int kernel : {2, 3, 4, 5}) {
    for (int step = 2; step <= kernel; ++step) {
      for (int pad = step - 1; pad < kernel; ++pad) {
        std::vector<int> seen(static_cast<std::size_t>(kernel * kernel));
        for (const TransposedPart& part : parts_of(transposed(Window::square(kernel, 1, pad), step))) {
          for (const int tap : part.taps) ++seen[static_cast<std::size_t>(tap)];
        }
        EXPECT_THAT(seen, ::testing::Each(1)) << kernel << ' ' << step << ' ' << pad;
      }
    }
  }
}

TEST(TransposedParts, ThereAreNoneWhereAPixelSeesNoPixel) {
  EXPECT_FALSE(has_parts(transposed(Window::square(2, 1, 1), 1))) << "not transposed";
  EXPECT_FALSE(has_parts(transposed(Window::square(2, 1, 1), 3))) << "wider than the window";
  EXPECT_FALSE(has_parts(transposed(Window::square(2, 1, 0), 2))) << "begins within the map";
  EXPECT_FALSE(has_parts(transposed({2, 2, 1, 1, 1, 1, 2, 1, 1, 1}, 2))) << "ends in the padding";
  op::Conv grouped = transposed(Window::square(2, 1, 1), 2);
  grouped.groups = 2;
  EXPECT_FALSE(has_parts(grouped));
}

/// Whether the plan of a sub-net has a TransposedStep.
bool is_in_parts(const Model& model, int subnet) {
  const std::vector<Step>& steps = model.impl().plans[subnet].steps;
  return std::any_of(steps.begin(), steps.end(),
                     [](const Step& one) { return std::holds_alternative<TransposedStep>(one); });
}

/// Of a convolution over maps of several segments, in fp32 and in bfloat16, on one thread and several.
void expect_reference(const Shape& image, const Window& window, int step_h, int step_w) {
  testing::Net net(image);
  const NodeId a = net.conv_bn_relu("a", net.input(), 21, {});
  const NodeId both = net.concat("both", {a, net.conv("b", net.input(), 3, {})});
  const NodeId c = net.norm("c.norm", net.conv_transpose("c", both, 19, window, step_h, step_w));
  net.apply("c.act", op::activation(op::Function::hard_swish), c);
  const Graph graph = net.build();
  const onnx::ModelFile file = testing::model_file(graph, testing::nested_subnets(graph, 2));
  std::vector<std::pair<std::shared_ptr<const Model>, double>> models = {{testing::load(file), 3e-6}};
  if (!kernels::bf16_units().empty()) models.emplace_back(testing::load_rounded(file), 2e-2);
  for (const auto& [model, bound] : models) {
    const testing::Floats images = testing::random_images(*model, 2);
    for (int i = 0; i < 2; ++i) {
      EXPECT_TRUE(is_in_parts(*model, i));
      const onnx::SubnetRecord& record = file.subnets[i];
      const auto wanted = reference_run(file.network, record.subnet, record.own, images, 2).value();
      for (const int threads : {1, 3}) {
        const testing::Floats got =
            testing::run_alone(model, {.threads = threads, .max_batch = 2}, images, 2, i);
        EXPECT_LE(testing::relative_error(got, wanted), bound);
      }
    }
  }
}

TEST(TransposedStep, ComputesWhatTheReferenceDoes) {
  for (const int kernel : {2, 3, 4}) {
    for (int step = 2; step <= std::min(kernel, 3); ++step) {
      for (const int pad : {step - 1, kernel - 1}) {
        SCOPED_TRACE(fmt::format("kernel {}, step {}, padding {}", kernel, step, pad));
        Window window = Window::square(kernel, 1, pad);
        window.pad_bottom = std::min(kernel - 1, pad + 1);
        expect_reference({3, 5, 30}, window, step, step);
      }
    }
  }
}

TEST(TransposedStep, MakesAFewRowsAtATime) {
  expect_reference({3, 5, 700}, Window::square(2, 1, 1), 2, 2);
}

TEST(TransposedStep, StepsMayDiffer) {
  expect_reference({3, 6, 7}, Window::square(3, 1, 2), 3, 1);
  expect_reference({3, 6, 7}, Window::square(3, 1, 2), 1, 2);
}

/// Some parts make nothing.
TEST(TransposedStep, TheOutputMayBeNarrowerThanAStep) {
  expect_reference({3, 1, 1}, {2, 2, 1, 1, 1, 1, 0, 0, 1, 1}, 2, 2);
}

TEST(TransposedStep, ReadsAnImage) {
  testing::Net net({3, 9, 8});
  net.conv_transpose("c", net.input(), 5, Window::square(2, 1, 1), 2, 2);
  const Graph graph = net.build();
  const onnx::ModelFile file = testing::model_file(graph, {full_subnet(graph)});
  const auto model = testing::load(file);
  EXPECT_TRUE(is_in_parts(*model, 0));
  const testing::Floats images = testing::random_images(*model, 2);
  const auto wanted = reference_run(file.network, full_subnet(graph), file.subnets[0].own, images, 2).value();
  const testing::Floats got = testing::run_alone(model, {.max_batch = 2}, images, 2, 0);
  EXPECT_LE(testing::relative_error(got, wanted), 3e-6);
}

}  // namespace
}  // namespace concertina::runtime
