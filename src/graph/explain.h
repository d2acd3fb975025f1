#pragma once

#include <cstdint>
#include <vector>

#include "graph/graph.h"

namespace concertina {

/// What a channel dimension touches and what it is worth.
struct DimensionReport {
  int dimension = 0;            ///< index in the layout
  std::vector<NodeId> makers;   ///< layers whose weights make its channels
  std::vector<NodeId> readers;  ///< layers whose weights read them
  std::int64_t macs = 0;  ///< that would go if it kept one channel and all others stayed whole; 0 if locked
  std::int64_t parameters = 0;  ///< likewise
};

/// In the layout's order: free dimensions first.
std::vector<DimensionReport> explain(const Graph& graph);

}  // namespace concertina
