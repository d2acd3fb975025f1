#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"

namespace concertina::scheduler {

inline Time scaled(Time time, double factor) {
  return Time(static_cast<Time::rep>(static_cast<double>(time.count()) * factor));
}

/// What one size of a model costs and is worth, as measured while it ran alone.
struct SizeCost {
  double accuracy = 0;           ///< 0 .. 1, on validation images: what policies decide by
  double reported_accuracy = 0;  ///< 0 .. 1, on test images where those were measured: what metrics tell
  std::vector<Time> left;        ///< of a run after 0, 1 ... all steps; the last is zero

  /// Precondition: steps is not empty.
  static SizeCost of(double accuracy, double reported_accuracy, std::span<const Time> steps);

  int steps() const { return static_cast<int>(left.size()) - 1; }
  Time step(int i) const { return left[i] - left[static_cast<std::size_t>(i) + 1]; }
  Time total() const { return left.front(); }
};

/// A model that shares the machine. Its sizes are ordered as Model::subnets(): the full one first.
struct ModelCost {
  std::string name;
  std::vector<SizeCost> sizes;

  /// The time of a request that has the machine to itself: a run of the full size.
  Time isolated() const { return sizes.front().total(); }
};

/// A request that has come and is not answered yet. Its run is begun when its first step is done, and then
/// keeps its size, unless it begins anew.
struct Job {
  std::int64_t id = 0;  ///< ascending with the arrivals
  int model = 0;
  Time arrival{0};
  Time deadline{0};
  int size = 0;
  int done = 0;  ///< steps of that size
  /// The caller's, until the job has left the queue. Empty: the executor has an image for it, and keeps what
  /// comes of it.
  std::span<const float> image = {};
  std::span<float> outputs = {};

  bool begun() const { return done > 0; }
};

}  // namespace concertina::scheduler
