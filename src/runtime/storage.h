#pragma once

#include <vector>

#include "runtime/program.h"

namespace concertina::runtime {

/// The first segments of a value.
struct Prefix {
  ValueId value = kNone;
  int segments = 0;

  friend bool operator==(const Prefix&, const Prefix&) = default;
};

/// Where a value lies: in its own memory or in another's, so that a concatenation, a slice or an addition has
/// nothing to copy.
struct Placement {
  ValueId root = kNone;        ///< the value whose memory it is, maybe itself
  std::vector<Prefix> before;  ///< what comes before it in the root's pixel

  friend bool operator==(const Placement&, const Placement&) = default;
};

/// From the first operation that writes to it to the last one that reads it, both included.
struct Lifetime {
  int begin = 0;
  int end = -1;
};

/// Where everything lies, for every sub-net.
struct Storage {
  std::vector<Placement> placements;  ///< by value
  std::vector<Lifetime> lifetimes;    ///< by value; of roots, with all that lies in them

  const Placement& placement(ValueId id) const { return placements[id]; }
  bool is_root(ValueId id) const { return placement(id).root == id; }
  /// Whether `part` lies in `whole`, from its segment `first` on.
  bool is_view(ValueId part, ValueId whole, int first) const;
};

/// Producers write into their place in a concatenation where they can, a slice of whole segments stays where
/// it is unless it is such a producer, and an operation writes over an input that nobody reads later where
/// its kernel allows it.
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
