#pragma once

#include <string>
#include <vector>

namespace concertina {

/// What runs along a dimension of a parameter array.
enum class ParameterAxis { output_channels, input_channels, fixed };

/// One array that a node owns, at full size.
struct Parameter {
  std::string name;  ///< within the node: "weight", "bias", "running_mean", "running_var"
  std::vector<int> shape;
  std::vector<ParameterAxis> axes;  ///< one per dimension of `shape`
  bool trainable = true;            ///< false: a statistic, estimated for each sub-net
};

}  // namespace concertina
