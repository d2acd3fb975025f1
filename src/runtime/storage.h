#pragma once

#include <vector>

#include "runtime/program.h"

namespace concertina::runtime {

/// Where a value lies: in its own memory or in another's, so that a concatenation or an addition has
/// nothing to copy.
struct Placement {
  ValueId root = kNone;         ///< the value whose memory it is, maybe itself
  std::vector<ValueId> before;  ///< the values that come before it in the root's pixel

  friend bool operator==(const Placement&, const Placement&) = default;
};

/// From the first step that writes to it to the last one that reads it, both included.
struct Lifetime {
  int begin = 0;
  int end = -1;
};

/// Where everything lies, for every sub-net.
struct Storage {
  std::vector<Placement> placements;  ///< by value
  std::vector<Lifetime> lifetimes;    ///< by value; of roots, with all that lies in them

  const Placement& placement(ValueId id) const { return placements[static_cast<std::size_t>(id)]; }
  bool is_root(ValueId id) const { return placement(id).root == id; }
};

/// Producers write into their place in a concatenation where they can, and a step writes over an input that
/// nobody reads later where its kernel allows it.
Storage place_values(const Program& program, const Graph& graph);

/// Memory for things that need it at times only.
struct Block {
  std::ptrdiff_t size = 0;
  Lifetime lifetime;
};

/// An offset for each block, so that those whose lifetimes overlap do not: the largest first, each at the
/// first gap that holds it. `total` is where the last one ends.
struct ArenaPlan {
  std::vector<std::ptrdiff_t> offsets;
  std::ptrdiff_t total = 0;
};
ArenaPlan plan_arena(const std::vector<Block>& blocks);

}  // namespace concertina::runtime
