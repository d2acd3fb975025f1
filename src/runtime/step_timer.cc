#include "runtime/step_timer.h"

#include <algorithm>
#include <numeric>

#include "base/statistics.h"

namespace concertina::runtime {

StepTimer::StepTimer(const Plan& plan, int threads)
    : plan_(plan),
      times_(plan.labels.size()),
      lap_times_(static_cast<std::size_t>(threads) * plan.labels.size()) {}

void StepTimer::time_banded_steps(Frame& frame) {
  frame.lap_times = lap_times_.data();
  frame.lap_time_stride = static_cast<std::ptrdiff_t>(plan_.labels.size());
}

void StepTimer::begin_run() {
  for (std::vector<double>& of_label : times_) of_label.push_back(0);
}

void StepTimer::begin_step() {
  std::fill(lap_times_.begin(), lap_times_.end(), 0);
  before_ = std::chrono::steady_clock::now();
}

void StepTimer::end_step(std::size_t step) {
  const std::chrono::duration<double, std::milli> all = std::chrono::steady_clock::now() - before_;
  const auto is_of_step = [&](const StepLabel& label) { return label.step == step; };
  const auto first = std::find_if(plan_.labels.begin(), plan_.labels.end(), is_of_step);
  const auto count =
      static_cast<std::size_t>(std::find_if_not(first, plan_.labels.end(), is_of_step) - first);
  const std::int64_t total = std::accumulate(lap_times_.begin(), lap_times_.end(), std::int64_t{0});
  for (std::size_t i = 0; i < count; ++i) {
    times_[static_cast<std::size_t>(first - plan_.labels.begin()) + i].back() +=
        all.count() * (total == 0 ? 1.0 / static_cast<double>(count) : lap_share(i, total));
  }
}

std::vector<StepTime> StepTimer::medians() const {
  std::vector<StepTime> steps;
  for (std::size_t i = 0; i < times_.size(); ++i) {
    const auto& [name, kind, macs, step] = plan_.labels[i];
    steps.push_back({.name = name, .kind = kind, .macs = macs, .median_ms = quantile(times_[i], 0.5)});
  }
  return steps;
}

/// Over all threads.
double StepTimer::lap_share(std::size_t lap, std::int64_t total) const {
  std::int64_t sum = 0;
  for (std::size_t i = lap; i < lap_times_.size(); i += plan_.labels.size()) sum += lap_times_[i];
  return static_cast<double>(sum) / static_cast<double>(total);
}

}  // namespace concertina::runtime
