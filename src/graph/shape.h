#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace concertina {

/// The size of one image's feature map; a feature vector is C x 1 x 1. The batch is not part of it.
struct Shape {
  int channels = 0;
  int height = 1;
  int width = 1;

  std::int64_t elements() const { return std::int64_t{channels} * height * width; }
  friend bool operator==(const Shape&, const Shape&) = default;
};

/// "64x8x8" (C x H x W).
std::string to_string(const Shape& shape);

/// What runs along a dimension of a parameter array.
enum class ParameterAxis { output_channels, input_channels, fixed };

/// One array that an op computes with, at full size.
struct Parameter {
  std::string name;  ///< within the node: "weight", "bias", "running_mean", "running_var"
  std::vector<int> shape;
  std::vector<ParameterAxis> axes;  ///< one per dimension of `shape`
  bool trainable = true;            ///< false: a statistic, estimated for each sub-net

  friend bool operator==(const Parameter&, const Parameter&) = default;
};

}  // namespace concertina
