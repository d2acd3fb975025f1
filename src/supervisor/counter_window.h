#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "base/clock.h"

namespace concertina::supervisor {

/// By how much a counter grew, and in which time.
struct Growth {
  double amount = 0;
  Time over{0};  ///< above 0

  double per_second() const { return amount / std::chrono::duration<double>(over).count(); }
};

/// How fast a counter grows, over about the last second: between the latest sample and the first one that is
/// a whole window older. A counter that starts anew, or disappears for a while, is followed from there.
class CounterWindow {
 public:
  explicit CounterWindow(Time window) : window_(window) {}

  /// The counter stands at `counter`, `elapsed` after the last update. One that falls has started anew, but
  /// wraps if it has a `range`, the highest it reaches. Nothing until there are two samples to compare.
  /// Precondition: elapsed is not negative.
  std::optional<Growth> update(Time elapsed, std::optional<std::uint64_t> counter, std::uint64_t range = 0);

  /// Forgets all samples: the time between the last one and the next is not known.
  void restart();

 private:
  void add(const Growth& growth);

  Time window_;
  std::optional<std::uint64_t> last_;
  std::deque<Growth> recent_;
  Growth sum_;  ///< of `recent_`
};

}  // namespace concertina::supervisor
