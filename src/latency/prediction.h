#pragma once

#include <span>

#include "graph/graph.h"

namespace concertina::latency {

/// How far predicted times are from measured ones.
struct PredictionError {
  double median = 0;            ///< of |predicted / measured - 1|
  double worst = 0;             ///< the largest
  double rank_correlation = 0;  ///< Spearman's, -1 .. 1

  /// Precondition: as many of both, at least one, positive.
  static PredictionError of(std::span<const double> predicted, std::span<const double> measured);

  friend bool operator==(const PredictionError&, const PredictionError&) = default;
};

/// What a machine does at most. The roofline model (Williams, Waterman, Patterson 2009): what computes and
/// moves memory takes the longer of both.
struct Roofline {
  double gflops = 0;             ///< of fp32
  double gbytes_per_second = 0;  ///< from and to memory

  friend bool operator==(const Roofline&, const Roofline&) = default;
};

/// How well the times of random sub-nets, of which nothing went into the table, are predicted.
struct PredictionQuality {
  int subnets = 0;             ///< that were measured
  double noise = 0;            ///< median of |one half of a sub-net's runs / the other half - 1|
  PredictionError layer_sums;  ///< by the table's layers
  PredictionError roofline;    ///< without having measured a layer
  PredictionError macs;        ///< by one factor for multiply-accumulates
  Roofline machine;

  friend bool operator==(const PredictionQuality&, const PredictionQuality&) = default;
};

/// Milliseconds of a run by the roofline model: over the convolutions and linear layers, the longer of
/// computing and of moving their inputs, outputs and weights, each once. What lies between them counts
/// nothing.
double roofline_ms(const Roofline& machine, const Graph& graph, const Subnet& subnet, int batch);

}  // namespace concertina::latency
