#include "slo/metric.h"

#include <fmt/format.h>

#include <algorithm>

namespace concertina::slo {

double shortfall(Metric metric, double value, double limit) {
  const double missing = more_is_better(metric) ? limit - value : value - limit;
  return std::max(0.0, missing / limit);
}

std::string to_string(const Quantity& quantity) {
  if (quantity.metric != Metric::latency) return std::string(name_of(quantity.metric));
  return fmt::format("p{:.6g} latency", 100 * quantity.quantile);
}

std::string with_unit(Metric metric, double value) {
  switch (metric) {
    case Metric::latency:
      return fmt::format("{:.4g} ms", value);
    case Metric::accuracy:
      return fmt::format("{:.2f} %", 100 * value);
    case Metric::throughput:
      return fmt::format("{:.4g} images/s", value);
    case Metric::memory:
      return fmt::format("{:.0f} bytes", value);
    case Metric::threads:
    case Metric::batch:
      return fmt::format("{:.0f}", value);
    case Metric::utilisation:
      return fmt::format("{:.1f} %", 100 * value);
    case Metric::macs:
      return fmt::format("{:.4g} million", value / 1e6);
  }
  return {};
}

}  // namespace concertina::slo
