#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace concertina::cascade {

/// One way of looking at an image: a sub-net, and whether it is given the mirror image (left to right), which
/// a network trained with mirror images reads as well, with other mistakes.
struct Look {
  int subnet = 0;
  bool mirrored = false;

  friend bool operator==(const Look&, const Look&) = default;
};

/// What looks at labelled images say.
struct LabelledLogits {
  struct Column {
    Look look;
    double ms = 0;              ///< mean time of an image
    std::vector<float> logits;  ///< [images][classes]
  };

  int classes = 0;                   ///< at least 2
  std::vector<std::int32_t> labels;  ///< [images], each in 0 .. classes - 1
  std::vector<Column> columns;       ///< from the largest sub-net to the smallest

  int images() const { return static_cast<int>(labels.size()); }

  /// The values of one image in logits or scores of this shape.
  std::span<const float> row(std::span<const float> scores, int image) const {
    const auto k = static_cast<std::size_t>(classes);
    return scores.subspan(static_cast<std::size_t>(image) * k, k);
  }
};

}  // namespace concertina::cascade
