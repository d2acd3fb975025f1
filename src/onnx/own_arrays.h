#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "graph/network.h"

namespace concertina::onnx {

/// An array of a sub-net, at its widths.
struct OwnArray {
  std::string name;
  std::vector<int> sizes;
};

/// The statistics of every batch norm, in the graph's order.
std::vector<OwnArray> statistics_of(const Graph& graph, const Subnet& subnet);

/// Those of the graph's trainable arrays that are among `names`, in the graph's order.
std::vector<OwnArray> parameters_among(const Graph& graph, const Subnet& subnet,
                                       const std::vector<std::string>& names);

/// Their values one after the other, as base64 of little-endian floats. Precondition: `from` has them.
std::string pack_arrays(const std::vector<OwnArray>& arrays, const Weights& from);

/// The reverse, into `to`. The text is not trusted: fails if it is not base64 or has not the right length;
/// the sentence's subject is left to the caller.
Status unpack_arrays(std::string_view text, const std::vector<OwnArray>& arrays, Weights& to);

}  // namespace concertina::onnx
