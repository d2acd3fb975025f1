#include "runtime/transposed.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/bf16_conv.h"
#include "runtime/model_impl.h"
#include "runtime/reference_interpreter.h"
#include "testing/models.h"
#include "testing/net.h"

namespace concertina::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

op::Conv transposed(const Window& window, int step) {
  op::Conv conv;
  conv.in_channels = conv.out_channels = 4;
  conv.window = window;
  conv.input_dilation_h = conv.input_dilation_w = step;
  return conv;
}

TEST(Phases, OfAUpsamplingByTwoHaveOneTapEach) {
  const std::vector<Phase> phases = phases_of(transposed(Window::square(2, 1, 1), 2));
  ASSERT_EQ(phases.size(), 4);
  std::vector<int> taps;
  for (const Phase& phase : phases) {
    EXPECT_EQ(phase.window.kernel_h * phase.window.kernel_w, 1);
    EXPECT_EQ(phase.window.pad_top + phase.window.pad_left, 0);
    taps.insert(taps.end(), phase.taps.begin(), phase.taps.end());
  }
  EXPECT_THAT(taps, ElementsAre(3, 2, 1, 0));
}

TEST(Phases, HaveAllTapsOnce) {
  for (const int kernel : {2, 3, 4, 5}) {
    for (int step = 2; step <= kernel; ++step) {
      for (int pad = step - 1; pad < kernel; ++pad) {
        std::vector<int> seen(static_cast<std::size_t>(kernel * kernel));
        for (const Phase& phase : phases_of(transposed(Window::square(kernel, 1, pad), step))) {
          for (const int tap : phase.taps) ++seen[static_cast<std::size_t>(tap)];
        }
        EXPECT_THAT(seen, ::testing::Each(1)) << kernel << ' ' << step << ' ' << pad;
      }
    }
  }
}

TEST(Phases, ThereAreNoneWhereAPixelSeesNoPixel) {
  EXPECT_THAT(phases_of(transposed(Window::square(2, 1, 1), 1)), IsEmpty()) << "not transposed";
  EXPECT_THAT(phases_of(transposed(Window::square(2, 1, 1), 3)), IsEmpty()) << "wider than the window";
  EXPECT_THAT(phases_of(transposed(Window::square(2, 1, 0), 2)), IsEmpty()) << "begins within the map";
  EXPECT_THAT(phases_of(transposed({2, 2, 1, 1, 1, 1, 2, 1, 1, 1}, 2)), IsEmpty()) << "ends in the padding";
  op::Conv grouped = transposed(Window::square(2, 1, 1), 2);
  grouped.groups = 2;
  EXPECT_THAT(phases_of(grouped), IsEmpty());
}

/// In each precision, with as many rows as there are strips and fewer, on one thread and several.
TEST(TransposedStep, ComputesWhatTheReferenceDoes) {
  for (const int kernel : {2, 3, 4}) {
    for (int step = 2; step <= std::min(kernel, 3); ++step) {
      for (const int pad : {step - 1, kernel - 1}) {
        SCOPED_TRACE(fmt::format("kernel {}, step {}, padding {}", kernel, step, pad));
        testing::Net net({3, 5, 400});
        const NodeId a = net.conv_bn_relu("a", net.input(), 21, {});
        const NodeId both = net.concat("both", {a, net.conv("b", net.input(), 3, {})});
        Window window = Window::square(kernel, 1, pad);
        window.pad_bottom = std::min(kernel - 1, pad + 1);
        net.apply("c.act", op::activation(op::Function::hard_swish),
                  net.norm("c.norm", net.conv_transpose("c", both, 19, window, step, step)));
        const Graph graph = net.build();
        const onnx::ModelFile file = testing::model_file(graph, testing::nested_subnets(graph, 2));
        for (const Precision precision : {Precision::fp32, Precision::bf16}) {
          if (precision == Precision::bf16 && kernels::bf16_units().empty()) continue;
          const auto model = testing::load(file, {.precision = precision});
          const testing::Floats images = testing::random_images(*model, 2);
          for (int i = 0; i < 2; ++i) {
            const auto wanted =
                reference_run(file.network, file.subnets[i].subnet, file.subnets[i].own, images, 2).value();
            for (const int threads : {1, 3}) {
              const testing::Floats got =
                  testing::run_alone(model, {.threads = threads, .max_batch = 2}, images, 2, i);
              EXPECT_LE(testing::relative_error(got, wanted), precision == Precision::fp32 ? 3e-6 : 2e-2);
            }
          }
          const std::vector<Step>& steps = model->impl().plans[0].steps;
          EXPECT_TRUE(std::any_of(steps.begin(), steps.end(), [](const Step& one) {
            return std::holds_alternative<TransposedStep>(one);
          }));
        }
      }
    }
  }
}

}  // namespace
}  // namespace concertina::runtime
