#include "slo/response_time.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace concertina::slo {
namespace {

/// Calls visit(share, from, to) for each stretch of levels between which a distribution's quantiles are taken
/// to be linear: a share of the values is uniform between two times.
template <typename Visit>
void for_each_stretch(const latency::TimeQuantiles& times, Visit visit) {
  const auto& levels = latency::TimeQuantiles::kLevels;
  const auto& ms = times.milliseconds();
  visit(levels[0], ms[0], ms[0]);
  for (std::size_t i = 1; i < levels.size(); ++i) visit(levels[i] - levels[i - 1], ms[i - 1], ms[i]);
}

/// The mean of min(1, rate * exp(-(x - s) / decay)), 1 where s > x, over s uniform in from .. to.
double mean_above(double x, double from, double to, double rate, double decay) {
  const auto tail = [&](double distance) { return rate * std::exp(-distance / decay); };
  if (to - from < 1e-9 * to) return to > x ? 1 : tail(x - to);
  if (from >= x) return 1;
  const double width = to - from, below = std::min(to, x);
  return std::max(0.0, to - x) / width + decay * (tail(x - below) - tail(x - from)) / width;
}

double normal_quantile(double level) {
  double low = -10, high = 10;
  for (int i = 0; i < 50; ++i) {
    const double middle = (low + high) / 2;
    (std::erfc(-middle / std::sqrt(2.0)) / 2 < level ? low : high) = middle;
  }
  return low;
}

/// Of the sum of `count` times that are exponentially distributed with a mean of 1.
double erlang_quantile(double count, double level) {
  const double root = 1 - 1 / (9 * count) + normal_quantile(level) / (3 * std::sqrt(count));
  return root > 0 ? count * root * root * root : 0;
}

double add_as_squares(double a, double b) {
  const double sum = a * std::abs(a) + b * std::abs(b);
  return std::copysign(std::sqrt(std::abs(sum)), sum);
}

}  // namespace

ResponseTime::ResponseTime(const latency::TimeQuantiles& times, double slow_down, int batch, double arrivals)
    : times_(times), slow_down_(slow_down) {
  double mean = 0, square = 0;
  for_each_stretch(times, [&](double share, double from, double to) {
    mean += share * (from + to) / 2;
    square += share * (from * from + from * to + to * to) / 3;
  });
  mean_ = slow_down * mean;
  if (arrivals <= 0) return;
  const double variation = std::max(0.0, square / (mean * mean) - 1);
  gaps_ = batch - 1;
  gap_ms_ = 1e3 / arrivals;
  utilisation_ = 1e-3 * arrivals / batch * mean_;
  if (utilisation_ >= 1) return;
  wait_ = utilisation_ / (1 - utilisation_) * (1.0 / batch + variation) / 2 * mean_;
}

double ResponseTime::above(double ms) const {
  const double decay = wait_ / utilisation_;
  double probability = 0;
  for_each_stretch(times_, [&](double share, double from, double to) {
    probability += share * mean_above(ms, slow_down_ * from, slow_down_ * to, utilisation_, decay);
  });
  return probability;
}

double ResponseTime::without_filling(double level) const {
  double low = slow_down_ * times_.at(level);
  if (!(wait_ > 0)) return low;
  double high = 2 * low;
  while (above(high) > 1 - level && std::isfinite(high)) high *= 2;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (above(middle) > 1 - level ? low : high) = middle;
  }
  return high;
}

double ResponseTime::quantile(double level) const {
  if (utilisation_ >= 1) return std::numeric_limits<double>::infinity();
  const double own = without_filling(level);
  if (gaps_ == 0) return own;
  const double filling = gaps_ * gap_ms_, mean = mean_ + wait_;
  const double more = add_as_squares(own - mean, gap_ms_ * erlang_quantile(gaps_, level) - filling);
  return filling + mean + more;
}

}  // namespace concertina::slo
