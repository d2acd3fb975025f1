#pragma once

#include <cstdint>

#include "graph/graph.h"

namespace concertina::search {

/// What training and evaluation have cost, in units that no machine changes: the currency in which budgets
/// are compared.
struct Spending {
  std::int64_t images = 0;  ///< times an image went through a sub-net
  double macs = 0;          ///< multiply-accumulates; a backward pass counts as two forward passes

  friend Spending operator+(Spending a, const Spending& b) { return a += b; }
  Spending& operator+=(const Spending& other) {
    images += other.images;
    macs += other.macs;
    return *this;
  }
  friend Spending operator-(const Spending& a, const Spending& b) {
    return {a.images - b.images, a.macs - b.macs};
  }
  friend bool operator==(const Spending&, const Spending&) = default;
};

/// Of evaluating a sub-net on so many images; `first`: the node at which it begins, what comes before being
/// known.
Spending evaluation_spending(const Graph& graph, const Subnet& subnet, std::int64_t images, NodeId first = 1);

/// Of training steps of a sub-net with so many images: forward and backward.
Spending training_spending(const Graph& graph, const Subnet& subnet, std::int64_t images);

}  // namespace concertina::search
