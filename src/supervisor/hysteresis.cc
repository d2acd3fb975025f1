#include "supervisor/hysteresis.h"

#include <algorithm>
#include <cmath>

namespace concertina::supervisor {
namespace {

constexpr int kMaxPatience = 16;
constexpr int kUndoneWithin = 10;  // dwell times

/// What held at the last update too has held for the time between.
Time longer(const std::optional<Time>& so_far, Time elapsed) {
  return so_far ? *so_far + elapsed : Time(0);
}

}  // namespace

void Hysteresis::update(Time elapsed, std::optional<double> value) {
  if (since_back_) *since_back_ += elapsed;
  missing_for_ = value ? Time(0) : missing_for_ + elapsed;
  const bool is_high = value && *value >= thresholds_.enter;
  const bool is_well = value ? *value <= thresholds_.leave : missing_for_ >= forget_;
  if (value && !is_well) well_for_.reset();
  if (!is_high) high_for_.reset();
  if (is_high) too_high(elapsed);
  if (is_well) well(elapsed);
}

double Hysteresis::share() const {
  return active() ? thresholds_.share * std::pow(thresholds_.deeper, steps_ - 1) : 1;
}

void Hysteresis::too_high(Time elapsed) {
  high_for_ = longer(high_for_, elapsed);
  const bool deeper = *high_for_ >= thresholds_.deepen_after && thresholds_.deeper < 1 && share() > floor_;
  if (!active() || deeper) step_down();
}

void Hysteresis::well(Time elapsed) {
  well_for_ = longer(well_for_, elapsed);
  if (!active() || *well_for_ < dwell()) return;
  --steps_;
  well_for_ = Time(0);
  since_back_ = Time(0);
}

void Hysteresis::step_down() {
  if (since_back_) {
    const bool undone = *since_back_ < kUndoneWithin * thresholds_.dwell;
    patience_ = undone ? std::min(2 * patience_, kMaxPatience) : 1;
  }
  since_back_.reset();
  ++steps_;
  high_for_ = Time(0);
}

}  // namespace concertina::supervisor
