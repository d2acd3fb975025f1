#include "supervisor/counter_window.h"

namespace concertina::supervisor {
namespace {

constexpr std::size_t kMaxSamples = 64;

/// Nothing if the counter started anew.
std::optional<double> growth_of(std::uint64_t from, std::uint64_t to, std::uint64_t range) {
  if (to >= from) return static_cast<double>(to - from);
  if (from > range) return std::nullopt;
  return static_cast<double>(range - from) + static_cast<double>(to);
}

}  // namespace

std::optional<Growth> CounterWindow::update(Time elapsed, std::optional<std::uint64_t> counter,
                                            std::uint64_t range) {
  // A second sample of the same moment tells nothing; what it has grown by belongs to the next interval.
  if (counter && last_ && elapsed > Time(0)) {
    const auto amount = growth_of(*last_, *counter, range);
    if (!amount) restart();
    if (amount) add({.amount = *amount, .over = elapsed});
  }
  if (!counter) restart();
  if (!last_ || elapsed > Time(0)) last_ = counter;
  if (recent_.empty()) return std::nullopt;
  return sum_;
}

void CounterWindow::restart() {
  last_.reset();
  recent_.clear();
  sum_ = {};
}

void CounterWindow::add(const Growth& growth) {
  recent_.push_back(growth);
  sum_.over += growth.over;
  while (recent_.size() > 1 &&
         (recent_.size() > kMaxSamples || sum_.over - recent_.front().over >= window_)) {
    sum_.over -= recent_.front().over;
    recent_.pop_front();
  }
  // Anew each time: taking away what leaves would leave its rounding.
  sum_.amount = 0;
  for (const Growth& part : recent_) sum_.amount += part.amount;
}

}  // namespace concertina::supervisor
