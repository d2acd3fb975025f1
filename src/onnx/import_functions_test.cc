#include <gtest/gtest.h>

#include <functional>
#include <optional>

#include "onnx/testing.h"
#include "testing/exporter_files.h"
#include "testing/onnx_builder.h"

namespace concertina::onnx {
namespace {

using testing::OnnxBuilder;

/// Those that are neither ReLU nor the like.
std::vector<op::Function> functions(const Graph& graph) {
  std::vector<op::Function> all;
  for (const Node& node : graph.nodes()) {
    const auto* activation = std::get_if<op::Activation>(&node.op);
    if (activation && !activation->is_relu()) all.push_back(activation->function);
  }
  return all;
}

TEST_F(Import, KnowsFunctionsThatAreWrittenInParts) {
  const Graph network = graph(testing::test_network("mobilenet_v3"));
  int swish = 0;
  for (const Node& node : network.nodes()) {
    const auto* activation = std::get_if<op::Activation>(&node.op);
    swish += activation && activation->function == op::Function::hard_swish ? 1 : 0;
  }
  EXPECT_EQ(swish, 6);

  const Graph parts = graph(testing::test_network("functions_in_parts"));
  EXPECT_EQ(functions(parts), (std::vector{op::Function::gelu, op::Function::gelu_tanh, op::Function::mish}));
  EXPECT_EQ(count<op::Mul>(parts), 0);
}

TEST_F(Import, KnowsFunctionsInWhateverOrder) {
  const auto number = [](OnnxBuilder& net, float value) { return net.floats({}, {value}); };
  const struct {
    std::optional<op::Function> function;
    std::function<std::string(OnnxBuilder&, const std::string& x)> write;
  } spellings[] = {
      {op::Function::hard_swish,  // x * clip(x + 3, 0, 6) / 6
       [&](auto& net, const auto& x) {
         const std::string more = net.node("Add", {x, number(net, 3)});
         const std::string clip = net.node("Clip", {more, number(net, 0), number(net, 6)});
         return net.node("Div", {net.node("Mul", {x, clip}), number(net, 6)});
       }},
      {op::Function::gelu,  // (erf(x * 0.707) * 0.5 + 0.5) * x
       [&](auto& net, const auto& x) {
         const std::string erf = net.node("Erf", {net.node("Mul", {x, number(net, 0.707106769F)})});
         const std::string half = net.node("Mul", {erf, number(net, 0.5F)});
         return net.node("Mul", {net.node("Add", {half, number(net, 0.5F)}), x});
       }},
      {op::Function::gelu_tanh,  // x * (1 + tanh(0.798 x (1 + 0.0447 x x))) * 0.5
       [&](auto& net, const auto& x) {
         const std::string square = net.node("Mul", {net.node("Mul", {x, x}), number(net, 0.044715F)});
         const std::string factor = net.node("Add", {number(net, 1), square});
         const std::string scaled =
             net.node("Mul", {net.node("Mul", {x, number(net, 0.797884583F)}), factor});
         const std::string tanh = net.node("Add", {number(net, 1), net.node("Tanh", {scaled})});
         return net.node("Mul", {net.node("Mul", {x, tanh}), number(net, 0.5F)});
       }},
      {std::nullopt,  // another constant
       [&](auto& net, const auto& x) {
         const std::string erf = net.node("Erf", {net.node("Mul", {x, number(net, 0.7F)})});
         const std::string half = net.node("Mul", {erf, number(net, 0.5F)});
         return net.node("Mul", {net.node("Add", {half, number(net, 0.5F)}), x});
       }},
      {std::nullopt,  // of another value
       [&](auto& net, const auto& x) {
         const std::string tanh = net.node("Tanh", {net.node("Softplus", {net.node("Neg", {x})})});
         return net.node("Mul", {tanh, x});
       }},
      {std::nullopt,  // a part is read elsewhere
       [&](auto& net, const auto& x) {
         const std::string tanh = net.node("Tanh", {net.node("Softplus", {x})});
         return net.node("Add", {net.node("Mul", {tanh, x}), tanh});
       }}};
  for (const auto& [function, write] : spellings) {
    OnnxBuilder net;
    const std::string x = net.conv(net.input("image", {3, 4, 4}), {.in = 3, .out = 4});
    net.output(write(net, x), "y", {4, 4, 4});
    const Graph network = graph(net.finish());
    if (function) {
      ASSERT_EQ(network.size(), 3);
      EXPECT_EQ(functions(network), std::vector{*function});
    } else {
      EXPECT_GT(network.size(), 4);
    }
  }
}

}  // namespace
}  // namespace concertina::onnx
