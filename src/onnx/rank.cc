#include "onnx/rank.h"

#include <fmt/format.h>

namespace concertina::onnx {
namespace {

struct Rule {
  int input = 0;   // the rank that the op needs; 0: any, alike on all inputs
  int output = 0;  // the rank that it makes; 0: that of its inputs
};

constexpr Rule kAny{};
constexpr Rule kMap{.input = 4};

Rule rule(const Op& op) {
  return std::visit(
      Overloaded{[]<OneOf<op::Input, op::BatchNorm, op::Activation, op::PRelu, op::Add, op::Mul, op::Scale,
                          op::Shift, op::Concat, op::Slice, op::ChannelReduce, op::Softmax, op::Opaque>
                        Any>(const Any&) { return kAny; },
                 []<OneOf<op::Conv, op::MaxPool, op::AveragePool, op::GlobalAveragePool, op::PadChannels,
                          op::LocalResponseNorm, op::ChannelShuffle, op::DepthToSpace, op::SpaceToDepth,
                          op::Pad, op::Resize>
                        OfMaps>(const OfMaps&) { return kMap; },
                 [](const op::GroupNorm& norm) { return norm.by_pixel ? kAny : kMap; },
                 [](const op::Flatten&) { return Rule{.output = 2}; },
                 [](const op::AsMap&) { return Rule{.input = 2, .output = 4}; },
                 [](const op::Linear&) { return Rule{.input = 2}; }},
      op);
}

Result<std::vector<int>> ranks_from(const Graph& graph, std::vector<int> ranks) {
  for (NodeId id = graph.inputs(); id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    std::vector<int> inputs;
    for (const NodeId input : node.inputs) inputs.push_back(ranks[input]);
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
  constexpr std::size_t kMaxVectors = 8;  // of which every choice is tried
  std::vector<int> inputs(static_cast<std::size_t>(graph.inputs()), 4);
  std::vector<std::size_t> vectors;
  for (std::size_t i = 0; i < inputs.size() && vectors.size() < kMaxVectors; ++i) {
    const Shape& shape = graph.shape(static_cast<NodeId>(i));
    if (shape.height == 1 && shape.width == 1) vectors.push_back(i);
  }
  const auto as_maps = ranks_from(graph, inputs);
  if (as_maps) return as_maps;
  for (unsigned choice = 1; choice < 1U << vectors.size(); ++choice) {
    for (std::size_t i = 0; i < vectors.size(); ++i) inputs[vectors[i]] = choice >> i & 1U ? 2 : 4;
    auto ranks = ranks_from(graph, inputs);
    if (ranks) return ranks;
  }
  return as_maps;
}

std::vector<std::int64_t> onnx_shape(const Shape& shape, int rank, int batch) {
  if (rank == 2) return {batch, shape.channels};
  return {batch, shape.channels, shape.height, shape.width};
}

}  // namespace concertina::onnx
