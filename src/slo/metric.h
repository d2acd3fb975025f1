#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace concertina::slo {

/// What an SLO can be about. Stored by name.
enum class Metric {
  latency,      ///< milliseconds from a request to its answer, at a quantile
  accuracy,     ///< validation accuracy, 0 .. 1
  throughput,   ///< images a second that can be answered
  memory,       ///< bytes beside the shared weights: normalisation, activations, workspace
  threads,      ///< that work on one run
  batch,        ///< images of one run
  utilisation,  ///< the share of the time that runs take, 0 without arrivals
  macs,         ///< multiply-accumulates for an image, which stand for its energy
};

inline constexpr std::array<std::string_view, 8> kMetrics = {"latency", "accuracy", "throughput",  "memory",
                                                             "threads", "batch",    "utilisation", "macs"};

constexpr std::string_view name_of(Metric metric) {
  return kMetrics[static_cast<std::size_t>(metric)];
}

/// Whether more of it is better; of the others less is.
constexpr bool more_is_better(Metric metric) {
  return metric == Metric::accuracy || metric == Metric::throughput;
}

/// One number of a design in a state.
struct Quantity {
  Metric metric = Metric::accuracy;
  double quantile = 0;  ///< of latency, above 0 and below 1; 0 for the other metrics

  friend bool operator==(const Quantity&, const Quantity&) = default;
};

/// What must hold: the quantity is at least `limit` where more is better, at most elsewhere.
struct Bound {
  Quantity of;
  double limit = 0;  ///< positive

  friend bool operator==(const Bound&, const Bound&) = default;
};

/// What is aimed at.
struct Objective {
  Quantity of;
  std::optional<double> target;  ///< positive; none: the best that a state has
  double weight = 1;             ///< positive

  friend bool operator==(const Objective&, const Objective&) = default;
};

/// By how much `value` misses `limit`, as a share of it; 0 if it does not. Precondition: limit > 0.
double shortfall(Metric metric, double value, double limit);

/// "p99 latency", "accuracy".
std::string to_string(const Quantity& quantity);

/// "8.25 ms", "91.20 %", "120 images/s".
std::string with_unit(Metric metric, double value);

}  // namespace concertina::slo
