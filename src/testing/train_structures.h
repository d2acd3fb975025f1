#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace concertina::testing {

/// A small network for tests.
struct Structure {
  std::string name;
  Graph graph;

  friend void PrintTo(const Structure& structure, std::ostream* stream) { *stream << structure.name; }
};

/// One for each op and structure that a graph can hold beyond those of the built-in networks. Every first
/// input is 3 x 12 x 12.
std::vector<Structure> structures();

}  // namespace concertina::testing
