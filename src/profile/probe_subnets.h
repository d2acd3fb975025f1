#pragma once

#include <cstdint>
#include <vector>

#include "graph/graph.h"

namespace concertina::profile {

/// Up to `count` widths (3 .. 6) of a dimension, ascending: all its channels, and shares down to a sixteenth
/// of them; in whole vectors where they are that wide.
std::vector<int> probe_widths(int channels, int count, int vector);

/// Few sub-nets of those widths among which every layer that one dimension comes before and one behind meets
/// every pair of widths: a covering array, built as by Cohen et al. 1997 (AETG), of the pairs of dimensions
/// that meet. Widths behind a layer that are one number of vectors count as one. The full network comes
/// first.
std::vector<Subnet> covering_subnets(const Graph& graph, int count, int vector);

/// Sub-nets of any widths from an eighth of each dimension on; every other one has similar shares everywhere.
std::vector<Subnet> random_subnets(const Graph& graph, int count, std::uint64_t seed);

}  // namespace concertina::profile
