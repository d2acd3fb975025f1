#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "graph/quantization.h"

/// The values of one tensor over all images. They are seen twice: first for the ends, then for the counts. So
/// neither the order of the images nor their number in a batch changes anything.
namespace concertina::quantization {

/// The first pass: the least and the greatest value, exactly.
class Ends {
 public:
  /// Takes more values. The first one that is not finite, if there is one; then they do not count.
  std::optional<float> add(std::span<const float> values);

  /// Those of all values that were added. Precondition: at least one.
  Interval interval() const;

 private:
  float low_ = std::numeric_limits<float>::infinity();
  float high_ = -std::numeric_limits<float>::infinity();
};

/// The second pass: how many values lie in each of equal parts of the interval.
class Histogram {
 public:
  static constexpr int kBins = 2048;

  explicit Histogram(const Interval& ends);

  /// Precondition: the values are within ends().
  void add(std::span<const float> values);

  /// The least and the greatest value.
  const Interval& ends() const { return ends_; }
  std::span<const std::int64_t> counts() const { return counts_; }
  std::int64_t total() const;

  /// Where bin i begins and bin i - 1 ends, for i = 0 .. kBins.
  double edge(int i) const { return ends_.low + width_ * i; }
  double width() const { return width_; }  ///< 0 if all values are the same

 private:
  Interval ends_;
  double width_;
  std::vector<std::int64_t> counts_;
};

}  // namespace concertina::quantization
