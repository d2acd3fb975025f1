#pragma once

#include <optional>
#include <span>
#include <vector>

namespace concertina::quantization {

/// What a sub-net in some precisions costs, in milliseconds or bytes, and its accuracy.
struct Point {
  double cost = 0;
  double accuracy = 0;
};

/// By point, whether it is on the front: none costs less and is as accurate, or costs as much and is more
/// accurate.
std::vector<bool> on_front(std::span<const Point> points);

/// The highest accuracy of those that cost at most so much; nothing if there are none.
std::optional<double> most_accurate(std::span<const Point> points, double cost);

/// The lowest cost of those that are at least as accurate; nothing if there are none.
std::optional<double> cheapest(std::span<const Point> points, double accuracy);

/// `count` costs from the lowest to the highest of the points, each a constant factor above the one before.
/// Preconditions: there are points, costs are positive, count >= 2.
std::vector<double> costs_between(std::span<const Point> points, int count);

}  // namespace concertina::quantization
