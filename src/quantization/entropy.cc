#include "quantization/entropy.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace concertina::quantization {
namespace {

float greatest_magnitude(const Histogram& histogram) {
  return std::max(std::abs(histogram.ends().low), std::abs(histogram.ends().high));
}

/// The counts by magnitude, in bins from 0 that are no narrower than the histogram's: those would leave gaps.
struct Magnitudes {
  explicit Magnitudes(const Histogram& histogram) {
    const double most = greatest_magnitude(histogram);
    width = std::max(histogram.width(), most / Histogram::kBins);
    counts.resize(static_cast<std::size_t>(std::ceil(most / width - 1e-6)));  // none of rounding alone
    for (int i = 0; i < Histogram::kBins; ++i) {
      const double middle = std::abs(histogram.edge(i) + histogram.width() / 2);
      const auto bin = std::min(static_cast<std::size_t>(middle / width), counts.size() - 1);
      counts[bin] += static_cast<double>(histogram.counts()[static_cast<std::size_t>(i)]);
    }
    counts[0] = std::min(counts[0], counts[1]);
  }

  double width = 0;
  std::vector<double> counts;
};

/// x log x
double self_information(double x) {
  return x > 0 ? x * std::log(x) : 0;
}

/// What is known of the bins before each one, so that a candidate costs as much as it has levels.
class Divergence {
 public:
  Divergence(const std::vector<double>& counts, std::size_t levels) : counts_(counts), levels_(levels) {
    sums_ = {0}, filled_ = {0}, information_ = {0};
    for (const double count : counts) {
      sums_.push_back(sums_.back() + count);
      filled_.push_back(filled_.back() + (count > 0 ? 1 : 0));
      information_.push_back(information_.back() + self_information(count));
    }
  }

  /// Of the first `bins` bins, the last of which takes what lies above, from the same bins held in levels.
  double of(std::size_t bins) const {
    const double above = sums_.back() - sums_[bins];
    if (above > 0 && counts_[bins - 1] == 0) return std::numeric_limits<double>::infinity();
    double sum = information_[bins - 1] + self_information(counts_[bins - 1] + above);
    for (std::size_t level = 0; level < levels_; ++level) {
      const std::size_t begin = level * bins / levels_, end = (level + 1) * bins / levels_;
      const double held = sums_[end] - sums_[begin];
      if (held == 0) continue;
      sum -= (end == bins ? held + above : held) * std::log(held / (filled_[end] - filled_[begin]));
    }
    return sum / sums_.back() - std::log(sums_.back()) + std::log(sums_[bins]);
  }

 private:
  const std::vector<double>& counts_;
  std::size_t levels_;
  std::vector<double> sums_, filled_, information_;  ///< of the bins before
};

}  // namespace

float entropy_threshold(const Histogram& histogram) {
  const float most = greatest_magnitude(histogram);
  if (histogram.width() == 0) return most;
  const Magnitudes magnitudes(histogram);
  const std::size_t levels = histogram.ends().low < 0 ? 128 : 256, all = magnitudes.counts.size();
  const Divergence divergence(magnitudes.counts, levels);
  double least = std::numeric_limits<double>::infinity();
  std::size_t best = all;
  for (std::size_t bins = levels; bins <= all; ++bins) {
    const double found = divergence.of(bins);
    if (found >= least) continue;
    least = found;
    best = bins;
  }
  return best == all ? most : static_cast<float>(static_cast<double>(best) * magnitudes.width);
}

}  // namespace concertina::quantization
