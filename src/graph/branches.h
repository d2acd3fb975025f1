#pragma once

#include <optional>
#include <span>
#include <vector>

#include "graph/graph.h"

/// Elastic depth: what a network can do without. A dimension of width 0 has no channels; the layers that make
/// them, and all up to the sum that they lead to, are then absent, and the sum is its other operand.
namespace concertina {

/// Layers that are absent together, most often a residual branch.
struct Branch {
  std::vector<int> dimensions;  ///< free ones that only its layers make, rising: they have width 0 at once
  std::vector<NodeId> nodes;    ///< in order; the sum is none of them
  bool skipped = false;         ///< without it the sum is what it read: x of x + f(x)

  friend bool operator==(const Branch&, const Branch&) = default;
};

/// What is absent if these free dimensions have no channels. Fails if something that stays needs it; the
/// sentence says what.
Result<Branch> absent_without(const Graph& graph, std::span<const int> dimensions);

/// The branches that a sub-net may leave out, one by one, in the order of their first dimensions.
std::vector<Branch> find_branches(const Graph& graph);

/// The sub-net without this branch too; nothing if that cannot be, or if it has not got it.
std::optional<Subnet> leave_out(const Graph& graph, const Subnet& subnet, const Branch& branch);

/// The sub-net with a part of its depth: of the branches whose sums have one size it keeps the first ones,
/// this share of them, rounded up, and at least one.
Subnet keep_depth(const Graph& graph, const Subnet& subnet, double share);

/// By node, whether the sub-net leaves it out. Precondition, here and below: check_subnet() accepts it.
std::vector<bool> absent_nodes(const Graph& graph, const Subnet& subnet);

/// The graph of what the sub-net runs: at its resolution, without absent nodes, sums that have lost an
/// operand, and a ReLU of what is one already. Names, and the numbers of the channel dimensions, are those of
/// `graph`, so that its weights and its sub-nets fit.
Graph variant(const Graph& graph, const Subnet& subnet);

}  // namespace concertina
