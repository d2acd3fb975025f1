#pragma once

#include "graph/ops/elementwise.h"

namespace concertina::op {

/// max(x, 0)
struct Relu : Elementwise {
  static constexpr std::string_view kType = "Relu";
  friend bool operator==(const Relu&, const Relu&) = default;
};

/// min(max(x, 0), 6)
struct Relu6 : Elementwise {
  static constexpr std::string_view kType = "Relu6";
  friend bool operator==(const Relu6&, const Relu6&) = default;
};

}  // namespace concertina::op
