#include "simulation/offline_optimum.h"

#include <algorithm>
#include <cstdint>

namespace concertina::simulation {
namespace {

/// The schedule's points are chosen well by few slices; the bound pays for each slice at every request.
constexpr int kFinerForBound = 4;

/// What is kept of a slice's points.
enum class Keep { schedule, bound };

/// How a point came about: from this one of the front before, with this sub-net.
struct Step {
  std::int32_t parent = 0;
  std::int16_t subnet = control::Decision::kShed;
};

struct Point {
  Time free{0};     ///< when the server is
  double sum = -1;  ///< of accuracies; below 0: none
  Step step;
};

/// The points of the front after one request, sliced by the time at which the server is free. All that are
/// free by `begin`, the next arrival, are as good as each other: the first slice.
class Slices {
 public:
  Slices(int count, Keep keep) : keep_(keep), points_(static_cast<std::size_t>(count) + 1) {}

  void reset(Time begin, Time end) {
    const auto slices = static_cast<Time::rep>(points_.size()) - 1;
    begin_ = begin;
    width_ = std::max(Time(1), (end - begin + Time(slices - 1)) / slices);
    std::fill(points_.begin(), points_.end(), Point());
  }

  void add(const Point& point) {
    Point& kept = points_[point.free <= begin_ ? 0 : 1 + (point.free - begin_ - Time(1)) / width_];
    const Time earliest = kept.sum < 0 ? point.free : std::min(kept.free, point.free);
    if (point.sum > kept.sum || (point.sum == kept.sum && point.free < kept.free)) kept = point;
    if (keep_ == Keep::bound) kept.free = earliest;
  }

  /// Those to which none is better in both respects, by time.
  void pareto_front(std::vector<Point>& front) const {
    front.clear();
    for (const Point& point : points_)
      if (point.sum > (front.empty() ? -1 : front.back().sum)) front.push_back(point);
  }

 private:
  Keep keep_;
  Time begin_{0}, width_{1};
  std::vector<Point> points_;
};

struct Problem {
  std::span<const Time> arrivals;
  std::span<const Time> deadlines;
  std::span<const double> accuracies;
  const RunEnd& run_end;
};

void add_answers(const Problem& problem, std::size_t request, const Point& point, int parent,
                 Slices& slices) {
  const Time start = std::max(point.free, problem.arrivals[request]);
  for (std::size_t s = 0; s < problem.accuracies.size(); ++s) {
    const Time end = problem.run_end(static_cast<int>(request), static_cast<int>(s), start);
    if (end > problem.deadlines[request]) continue;
    slices.add({end, point.sum + problem.accuracies[s], {parent, static_cast<std::int16_t>(s)}});
  }
}

/// The greatest sum of accuracies. Calls visit(front) for the front after each request.
template <typename Visit>
double best_sum(const Problem& problem, int resolution, Keep keep, Visit visit) {
  Slices slices(resolution, keep);
  std::vector<Point> front = {{problem.arrivals.empty() ? Time(0) : problem.arrivals[0], 0, {}}};
  for (std::size_t i = 0; i < problem.arrivals.size(); ++i) {
    const bool last = i + 1 == problem.arrivals.size();
    slices.reset(last ? problem.deadlines[i] : problem.arrivals[i + 1], problem.deadlines[i]);
    for (std::size_t p = 0; p < front.size(); ++p) {
      const auto parent = static_cast<std::int32_t>(p);
      slices.add({front[p].free, front[p].sum, {parent, control::Decision::kShed}});
      add_answers(problem, i, front[p], parent, slices);
    }
    slices.pareto_front(front);
    visit(front);
  }
  return front.back().sum;
}

/// Every front's steps, so that the way to the best point can be gone back.
class Steps {
 public:
  void add(const std::vector<Point>& front) {
    for (const Point& point : front) steps_.push_back(point.step);
    ends_.push_back(steps_.size());
  }

  std::vector<int> way() const {
    std::vector<int> subnets(ends_.size());
    std::int32_t at = 0;  // of the last front, which is one point
    for (std::size_t i = ends_.size(); i-- > 0;) {
      const Step& step = steps_[(i == 0 ? 0 : ends_[i - 1]) + static_cast<std::size_t>(at)];
      subnets[i] = step.subnet;
      at = step.parent;
    }
    return subnets;
  }

 private:
  std::vector<Step> steps_;
  std::vector<std::size_t> ends_;
};

}  // namespace

OfflineOptimum offline_optimum(std::span<const Time> arrivals, std::span<const Time> deadlines,
                               std::span<const double> accuracies, const RunEnd& run_end, int resolution) {
  const Problem problem{arrivals, deadlines, accuracies, run_end};
  const auto requests = static_cast<double>(std::max<std::size_t>(arrivals.size(), 1));
  Steps steps;
  const double reached = best_sum(problem, resolution, Keep::schedule,
                                  [&](const std::vector<Point>& front) { steps.add(front); });
  const double bound = best_sum(problem, kFinerForBound * resolution, Keep::bound, [](const auto&) {});
  return {reached / requests, bound / requests, steps.way()};
}

}  // namespace concertina::simulation
