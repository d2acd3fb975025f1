#pragma once

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "concertina/result.h"

namespace concertina::simulation {

/// How many times slower than when it is quiet the machine is, over time: piecewise constant.
class Contention {
 public:
  struct Change {
    Time at{0};
    double factor = 1;  ///< from then on
  };

  /// Always 1.
  Contention() = default;
  /// 1 before the first change. Preconditions: ascending, each factor at least 1.
  explicit Contention(std::vector<Change> changes) : changes_(std::move(changes)) {}

  double factor(Time at) const;

  /// When a run ends that begins at `start` and takes `work` on the quiet machine: the time at which the
  /// integral of 1 / factor from `start` on is `work`. Does not decrease with either.
  Time finish(Time start, Time work) const;

  const std::vector<Change>& changes() const { return changes_; }

 private:
  std::size_t changes_until(Time at) const;

  std::vector<Change> changes_;
};

struct NoContention {};

/// Slower by `factor` between two shares of the simulated span.
struct StepContention {
  double factor = 1.8;
  double from = 0.5, until = 1;
};

/// Quiet and slower by `factor` in turns, each turn exponential with its mean length. Begins quiet or slow as
/// often as it is so in the long run.
struct TwoStateContention {
  double factor = 1.8;
  double slow_seconds = 1, quiet_seconds = 1;
};

using ContentionModel = std::variant<NoContention, StepContention, TwoStateContention>;

/// "none", "step:FACTOR:FROM:UNTIL", "two-state:FACTOR:SLOW_SECONDS:QUIET_SECONDS"; numbers may be left out
/// from the right. Fails with the nearest name.
Result<ContentionModel> parse_contention(std::string_view text);

/// What the model says for the times 0 .. span; after it, a step has ended and two states stay in the last
/// one. The same for the same seed. Fails if there would be more than kMaxRequests turns.
Result<Contention> make_contention(const ContentionModel& model, Time span, std::uint64_t seed);

}  // namespace concertina::simulation
