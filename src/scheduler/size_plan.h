#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace concertina::scheduler {

/// One way to answer a job.
struct SizeOption {
  Time time{0};     ///< until it is answered, if nothing else ran
  double lost = 0;  ///< accuracy
  int size = 0;
};

/// Sorts options and drops those that no plan by price would take: what is left gets faster and loses more,
/// and every further millisecond saved costs more accuracy than the one before. Returns how many are left.
std::size_t keep_convex(std::span<SizeOption> options);

/// Sizes for jobs that run one after the other, in the order of deadlines.
class SizePlan {
 public:
  static constexpr int kLeftOut = -1;

  void clear();
  /// The next job; deadlines ascend. Its end is wanted by `target`, at most the deadline. Precondition:
  /// options as keep_convex() leaves them, at least one.
  void add(std::span<const SizeOption> options, Time target, Time deadline);

  /// Chooses. First who is left out, so that all others can meet their deadlines: as few as possible, by
  /// Moore's and Hodgson's rule (1968) on each job's least time. Then the sizes: all begin with their first
  /// option; in the order of deadlines, where a target is missed, jobs up to there take their next option,
  /// the least accuracy for a millisecond first; at last those that need not have are put back. Optimal but
  /// for the rounding of the last option taken. O(n log n) plus O(n) for each job put back, n being jobs x
  /// options.
  void solve(Time now);

  std::size_t size() const { return jobs_.size(); }
  bool left_out(std::size_t job) const { return jobs_[job].option == kLeftOut; }
  /// Precondition: not left out.
  const SizeOption& chosen(std::size_t job) const { return option(job, jobs_[job].option); }
  Time target(std::size_t job) const { return jobs_[job].target; }

 private:
  struct Planned {
    std::size_t first = 0;  ///< of options_
    int options = 0;
    Time target{0};
    Time deadline{0};
    int option = 0;
    Time slack{0};  ///< put_back() only: the least until the target, of this job and all behind it
  };
  struct Lowering {
    double price = 0;  ///< accuracy lost for a nanosecond
    std::size_t job = 0;

    /// Of a heap, the top is the cheapest.
    friend bool operator<(const Lowering& a, const Lowering& b) { return a.price > b.price; }
  };

  const SizeOption& option(std::size_t job, int i) const {
    return options_[jobs_[job].first + static_cast<std::size_t>(i)];
  }
  void leave_out(Time now);
  void lower(Time now);
  void push_lowering(std::size_t job);
  void put_back(Time now);
  bool put_one_back();

  std::vector<Planned> jobs_;
  std::vector<SizeOption> options_;
  std::vector<std::pair<Time, std::size_t>> longest_;
  std::vector<Lowering> cheapest_;
};

}  // namespace concertina::scheduler
