#include "onnx/functions.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <optional>

namespace concertina::onnx {
namespace {

using op::Function;

/// Coefficients of 1, x, x^2 and x^3.
using Polynomial = std::array<double, 4>;

constexpr Polynomial kZero = {};
constexpr Polynomial kOne = {1, 0, 0, 0};
constexpr Polynomial kX = {0, 1, 0, 0};
constexpr double kSixth = 1.0 / 6;

bool equal(const Polynomial& a, const Polynomial& b) {
  constexpr double kTolerance = 1e-6;  // constants are 32-bit floats
  return std::equal(a.begin(), a.end(), b.begin(),
                    [](double x, double y) { return std::abs(x - y) <= kTolerance; });
}

Polynomial sum(const Polynomial& a, const Polynomial& b) {
  Polynomial result;
  for (std::size_t i = 0; i < a.size(); ++i) result[i] = a[i] + b[i];
  return result;
}

/// None if its degree is too high.
std::optional<Polynomial> product(const Polynomial& a, const Polynomial& b) {
  Polynomial result = kZero;
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; j < b.size(); ++j) {
      const double term = a[i] * b[j];
      if (i + j < result.size()) {
        result[i + j] += term;
      } else if (term != 0) {
        return std::nullopt;
      }
    }
  }
  return result;
}

/// What nodes make of a value x: plain(x) + gated(x) * gate, the gate being an activation's result.
struct Expression {
  Polynomial plain = kZero;
  Polynomial gated = kZero;
  NodeId gate = -1;  ///< the activation; -1: none
};

class Recogniser {
 public:
  Recogniser(std::vector<Node>& nodes, const Weights& weights, const std::vector<NodeId>& outputs)
      : nodes_(nodes), weights_(weights), readers_(nodes.size(), 0) {
    for (const Node& node : nodes) {
      for (const NodeId input : node.inputs) ++readers_[input];
    }
    for (const NodeId output : outputs) ++readers_[output];
  }

  void run() {
    for (NodeId root = 0; root < static_cast<NodeId>(nodes_.size()); ++root) {
      if (!is_arithmetic(root)) continue;
      for (const NodeId x : below_activation(root)) {
        const auto function = function_of(root, x);
        if (!function) continue;
        nodes_[root].op = *function;
        nodes_[root].inputs = {x};
        nodes_[root].tied.clear();
        break;
      }
    }
  }

 private:
  /// More nodes than any function is written in.
  static constexpr std::size_t kMostNodes = 24;

  bool is_arithmetic(NodeId id) const {
    const Op& op = nodes_[id].op;
    return std::holds_alternative<op::Add>(op) || std::holds_alternative<op::Mul>(op) ||
           std::holds_alternative<op::Scale>(op) || std::holds_alternative<op::Shift>(op);
  }

  const op::Activation* activation(NodeId id) const { return std::get_if<op::Activation>(&nodes_[id].op); }

  /// The nodes from which the first activation below `root` may be computed, the nearest first.
  std::vector<NodeId> below_activation(NodeId root) const {
    std::vector<NodeId> above = {root}, below;
    for (std::size_t i = 0; i < above.size() && above.size() < kMostNodes && below.empty(); ++i) {
      for (const NodeId input : nodes_[above[i]].inputs) {
        if (activation(input)) below = nodes_[input].inputs;
        if (is_arithmetic(input) && readers_[input] == 1) above.push_back(input);
      }
    }
    for (std::size_t i = 0; i < below.size() && below.size() < kMostNodes; ++i) {
      if (!is_arithmetic(below[i]) && !is(below[i], Function::softplus)) continue;
      for (const NodeId input : nodes_[below[i]].inputs) below.push_back(input);
    }
    return below;
  }

  bool is(NodeId id, Function function) const {
    return activation(id) && activation(id)->function == function;
  }

  /// The one number that all values of an array of the node are.
  std::optional<double> constant(const Node& node, const char* array) const {
    const std::vector<float>& values = weights_.at(parameter_name(node, array)).values;
    const bool alike = std::all_of(values.begin(), values.end(), [&](float v) { return v == values[0]; });
    return alike ? std::optional<double>(values[0]) : std::nullopt;
  }

  /// `id` in terms of x, if all nodes between them are read by each other only.
  std::optional<Expression> expression(NodeId id, NodeId x, std::size_t& nodes_left) const {
    if (id == x) return Expression{.plain = kX};
    if (nodes_left == 0 || readers_[id] != 1) return std::nullopt;
    --nodes_left;
    return inner_expression(id, x, nodes_left);
  }

  std::optional<Expression> inner_expression(NodeId id, NodeId x, std::size_t& nodes_left) const {
    const Node& node = nodes_[id];
    if (activation(id)) return Expression{.gated = kOne, .gate = id};
    if (!is_arithmetic(id)) return std::nullopt;
    const auto first = expression(node.inputs[0], x, nodes_left);
    if (!first) return std::nullopt;
    if (std::holds_alternative<op::Scale>(node.op)) {
      const auto factor = constant(node, "weight");
      return factor ? product(*first, {.plain = {*factor, 0, 0, 0}}) : std::nullopt;
    }
    if (std::holds_alternative<op::Shift>(node.op)) {
      const auto summand = constant(node, "bias");
      return summand ? sum(*first, {.plain = {*summand, 0, 0, 0}}) : std::nullopt;
    }
    const auto second = expression(node.inputs[1], x, nodes_left);
    if (!second) return std::nullopt;
    return std::holds_alternative<op::Add>(node.op) ? sum(*first, *second) : product(*first, *second);
  }

  static std::optional<Expression> sum(const Expression& a, const Expression& b) {
    if (a.gate >= 0 && b.gate >= 0) return std::nullopt;
    return Expression{onnx::sum(a.plain, b.plain), onnx::sum(a.gated, b.gated), std::max(a.gate, b.gate)};
  }

  static std::optional<Expression> product(const Expression& a, const Expression& b) {
    if (a.gate >= 0 && b.gate >= 0) return std::nullopt;
    const Expression& gated = a.gate >= 0 ? a : b;
    const Expression& plain = a.gate >= 0 ? b : a;
    const auto p = onnx::product(plain.plain, gated.plain), q = onnx::product(plain.plain, gated.gated);
    if (!p || !q) return std::nullopt;
    return Expression{*p, *q, gated.gate};
  }

  std::optional<op::Activation> function_of(NodeId root, NodeId x) const {
    std::size_t nodes_left = kMostNodes;
    const auto whole = inner_expression(root, x, nodes_left);
    if (!whole || whole->gate < 0) return std::nullopt;
    const auto argument = expression(nodes_[whole->gate].inputs[0], x, nodes_left);
    if (!argument) return std::nullopt;
    const op::Activation& gate = *activation(whole->gate);
    if (argument->gate >= 0) return function_of_softplus(*whole, gate, *argument, x);
    if (equal(whole->plain, kZero)) return gated_by(gate, whole->gated, argument->plain);
    constexpr Polynomial kHalf = {0, 0.5, 0, 0};
    if (!equal(whole->plain, kHalf) || !equal(whole->gated, kHalf)) return std::nullopt;
    constexpr double kErfScale = 1 / std::numbers::sqrt2;
    constexpr double kTanhScale = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
    if (gate.function == Function::erf && equal(argument->plain, {0, kErfScale, 0, 0}))
      return op::activation(Function::gelu);
    if (gate.function == Function::tanh && equal(argument->plain, {0, kTanhScale, 0, 0.044715 * kTanhScale}))
      return op::activation(Function::gelu_tanh);
    return std::nullopt;
  }

  /// factor(x) * gate(argument(x))
  static std::optional<op::Activation> gated_by(const op::Activation& gate, const Polynomial& factor,
                                                const Polynomial& argument) {
    const bool by_clip = gate.is_relu6() && equal(argument, {3, 1, 0, 0});
    const bool by_sigmoid = gate.function == Function::hard_sigmoid && equal(argument, kX) &&
                            equal({gate.b, gate.a, 0, 0}, {0.5, kSixth, 0, 0});
    if (by_clip && equal(factor, {kSixth, 0, 0, 0}))
      return op::activation(Function::hard_sigmoid, static_cast<float>(kSixth), 0.5F);
    if (by_clip && equal(factor, {0, kSixth, 0, 0})) return op::activation(Function::hard_swish);
    if (by_sigmoid && equal(factor, kX)) return op::activation(Function::hard_swish);
    return std::nullopt;
  }

  std::optional<op::Activation> function_of_softplus(const Expression& whole, const op::Activation& gate,
                                                     const Expression& argument, NodeId x) const {
    const bool mish = gate.function == Function::tanh && is(argument.gate, Function::softplus) &&
                      nodes_[argument.gate].inputs[0] == x && equal(whole.plain, kZero) &&
                      equal(whole.gated, kX) && equal(argument.plain, kZero) && equal(argument.gated, kOne);
    return mish ? std::optional(op::activation(Function::mish)) : std::nullopt;
  }

  std::vector<Node>& nodes_;
  const Weights& weights_;
  std::vector<int> readers_;  ///< by node
};

}  // namespace

void recognise_functions(std::vector<Node>& nodes, const Weights& weights,
                         const std::vector<NodeId>& outputs) {
  Recogniser(nodes, weights, outputs).run();
}

}  // namespace concertina::onnx
