#include "quantization/range.h"

#include <algorithm>

#include "quantization/entropy.h"

namespace concertina::quantization {
namespace {

/// Cuts whole bins off, with at most `most` values.
float cut_high(const Histogram& histogram, std::int64_t most) {
  int bin = Histogram::kBins;
  std::int64_t cut = 0;
  for (; bin > 1; --bin) {
    cut += histogram.counts()[static_cast<std::size_t>(bin - 1)];
    if (cut > most) break;
  }
  if (bin == Histogram::kBins) return histogram.ends().high;
  return static_cast<float>(histogram.edge(bin));
}

float cut_low(const Histogram& histogram, std::int64_t most) {
  int bin = 0;
  std::int64_t cut = 0;
  for (; bin < Histogram::kBins - 1; ++bin) {
    cut += histogram.counts()[static_cast<std::size_t>(bin)];
    if (cut > most) break;
  }
  return bin == 0 ? histogram.ends().low : static_cast<float>(histogram.edge(bin));
}

Interval percentile_range(const Histogram& histogram, double percentile) {
  const double outside = (1 - percentile / 100) * static_cast<double>(histogram.total());
  const bool is_signed = histogram.ends().low < 0 && histogram.ends().high > 0;
  const auto most = static_cast<std::int64_t>(is_signed ? outside / 2 : outside);
  if (is_signed) return {cut_low(histogram, most), cut_high(histogram, most)};
  if (histogram.ends().high <= 0) return {cut_low(histogram, most), 0};
  return {0, cut_high(histogram, most)};
}

Interval values_kept(const Histogram& histogram, const RangeOptions& options) {
  const Interval ends = histogram.ends();
  switch (options.method) {
    case Method::minmax:
      return ends;
    case Method::percentile:
      return percentile_range(histogram, options.percentile);
    case Method::entropy: {
      const float threshold = entropy_threshold(histogram);
      return {std::max(ends.low, -threshold), std::min(ends.high, threshold)};
    }
  }
  return ends;
}

}  // namespace

Interval choose_range(const Histogram& histogram, const RangeOptions& options) {
  const Interval kept = values_kept(histogram, options);
  return {std::min(kept.low, 0.0F), std::max(kept.high, 0.0F)};
}

}  // namespace concertina::quantization
