#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace concertina {

/// Measured milliseconds of one layer at a grid of widths.
struct LayerLatency {
  std::vector<int> inputs;           ///< active input channels, ascending
  std::vector<int> outputs;          ///< active output channels, ascending
  std::vector<double> milliseconds;  ///< [inputs][outputs]
};

/// What the layers of a network take on one machine, measured there:
///
///   {"concertina_latency": 1, "machine": "...", "layers": {"stem": {"inputs": [3], "outputs": [8, 16],
///    "milliseconds": [[0.02, 0.03]]}, ...}, "fixed_milliseconds": 0.1}
class LatencyTable {
 public:
  /// The bytes are not trusted: every number must be positive and finite, every list ascending, every grid
  /// complete.
  static Result<LatencyTable> parse(std::string_view text);
  /// The same with a file; errors name it.
  static Result<LatencyTable> read(const std::filesystem::path& path);

  /// Fails, naming the layer, unless each convolution and linear layer of the graph is in the table.
  Status check(const Graph& graph) const;

  /// The sum over layers, each interpolated bilinearly between the measured widths and constant outside them,
  /// plus what does not depend on widths. Precondition: check(graph).
  double milliseconds(const Graph& graph, const Subnet& subnet) const;

 private:
  std::map<std::string, LayerLatency> layers_;
  double fixed_ = 0;
};

}  // namespace concertina
