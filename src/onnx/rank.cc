#include "onnx/rank.h"

#include <fmt/format.h>

namespace concertina {
namespace {

struct Rule {
  int input = 0;   // the rank that the op needs; 0: any, alike on all inputs
  int output = 0;  // the rank that it makes; 0: that of its inputs
};

Rule rule(const Op& op) {
  return std::visit(
      Overloaded{[](const op::Input&) { return Rule{}; }, [](const op::Conv&) { return Rule{.input = 4}; },
                 [](const op::BatchNorm&) { return Rule{}; }, [](const op::Relu&) { return Rule{}; },
                 [](const op::Relu6&) { return Rule{}; }, [](const op::Add&) { return Rule{}; },
                 [](const op::MaxPool&) { return Rule{.input = 4}; },
                 [](const op::AveragePool&) { return Rule{.input = 4}; },
                 [](const op::GlobalAveragePool&) { return Rule{.input = 4}; },
                 [](const op::Flatten&) { return Rule{.output = 2}; },
                 [](const op::Linear&) { return Rule{.input = 2}; }, [](const op::Concat&) { return Rule{}; },
                 [](const op::Softmax&) { return Rule{}; }, [](const op::Opaque&) { return Rule{}; }},
      op);
}

Result<std::vector<int>> ranks_from(const Graph& graph, int input_rank) {
  std::vector<int> ranks = {input_rank};
  for (NodeId id = 1; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    std::vector<int> inputs;
    for (const NodeId input : node.inputs) inputs.push_back(ranks[static_cast<std::size_t>(input)]);
    const auto rank = output_rank(node.op, inputs);
    if (!rank) {
      return Error{fmt::format("node '{}' ({}): {}", node.name, type_name(node.op), rank.error().message)};
    }
    ranks.push_back(*rank);
  }
  return ranks;
}

}  // namespace

Result<int> output_rank(const Op& op, std::span<const int> inputs) {
  const auto [wanted, made] = rule(op);
  for (const int rank : inputs) {
    if (rank != inputs[0]) return Error{"it joins a feature map (rank 4) and a vector (rank 2)"};
    if (wanted != 0 && rank != wanted) {
      return Error{fmt::format("it needs an input of rank {}, but rank {} arrives{}", wanted, rank,
                               wanted == 2 ? "; put a Flatten before it" : "")};
    }
  }
  return made != 0 ? made : inputs[0];
}

Result<std::vector<int>> value_ranks(const Graph& graph) {
  auto ranks = ranks_from(graph, 4);
  const Shape& input = graph.shape(graph.input());
  if (!ranks && input.height == 1 && input.width == 1) {
    if (auto as_vector = ranks_from(graph, 2)) return as_vector;
  }
  return ranks;
}

}  // namespace concertina
