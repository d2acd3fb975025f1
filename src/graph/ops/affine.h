#pragma once

#include "graph/ops/elementwise.h"

namespace concertina::op {

/// x * weight[c]: a constant factor for each channel.
struct Scale : Elementwise {
  static constexpr std::string_view kType = "Scale";

  int channels = 0;

  Result<Shape> output_shape(std::span<const Shape> inputs) const;
  std::vector<Parameter> parameters() const;
  void resize(const ActiveFeatures& active) { channels = active.out; }

  friend bool operator==(const Scale&, const Scale&) = default;
};

/// x + bias[c]: a constant summand for each channel.
struct Shift : Elementwise {
  static constexpr std::string_view kType = "Shift";

  int channels = 0;

  Result<Shape> output_shape(std::span<const Shape> inputs) const;
  std::vector<Parameter> parameters() const;
  void resize(const ActiveFeatures& active) { channels = active.out; }

  friend bool operator==(const Shift&, const Shift&) = default;
};

/// x where x >= 0, weight[c] * x elsewhere: a leaky ReLU with a slope for each channel (He 2015).
struct PRelu : Elementwise {
  static constexpr std::string_view kType = "PRelu";

  int channels = 0;

  Result<Shape> output_shape(std::span<const Shape> inputs) const;
  std::vector<Parameter> parameters() const;
  void resize(const ActiveFeatures& active) { channels = active.out; }

  friend bool operator==(const PRelu&, const PRelu&) = default;
};

/// Batch normalisation: y = (x - running_mean) / sqrt(running_var + epsilon) * weight + bias, per channel.
/// The two statistics belong to a sub-net, the two parameters to all.
struct BatchNorm : Elementwise {
  static constexpr std::string_view kType = "BatchNorm";

  int channels = 0;
  float epsilon = 1e-5F;

  Result<Shape> output_shape(std::span<const Shape> inputs) const;
  std::vector<Parameter> parameters() const;
  void resize(const ActiveFeatures& active) { channels = active.out; }

  friend bool operator==(const BatchNorm&, const BatchNorm&) = default;
};

}  // namespace concertina::op
