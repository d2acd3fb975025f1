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

}  // namespace concertina::op
