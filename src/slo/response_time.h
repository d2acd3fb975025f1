#pragma once

#include "latency/latency_table.h"

namespace concertina::slo {

/// How long requests of one image take when they come at random (Poisson) and one server answers them in
/// full batches, first come first served.
///
/// Runs last S: the measured distribution, linear between its quantiles, stretched by the slow-down. A batch
/// is full some time F after its first request: the sum of batch - 1 gaps, Erlang's distribution, whose
/// quantiles are Wilson and Hilferty's (1931). Full batches come at arrivals / batch, with a squared
/// coefficient of variation of 1 / batch, and wait, by Kingman's formula (1961),
///
///   W = rho / (1 - rho) * (1 / batch + Var S / (E S)^2) / 2 * E S,   rho = arrivals / batch * E S
///
/// on average, which for a batch of 1 is Pollaczek and Khinchine's and exact. That a batch waits longer than
/// x is taken to have the probability rho exp(-rho x / W), which gives the distribution of X, wait and run
/// together. A request's latency is F + X for the first of its batch; the two are taken to be independent,
/// and the deviations of their quantiles from their means to add as squares, as those of normal ones do.
class ResponseTime {
 public:
  /// arrivals: images a second; 0: a batch comes when the one before it is answered, and waits for nothing.
  /// Preconditions: slow_down >= 1, batch >= 1, arrivals >= 0, all finite.
  ResponseTime(const latency::TimeQuantiles& times, double slow_down, int batch, double arrivals);

  /// rho. From 1 on the server is overloaded: requests wait without end.
  double utilisation() const { return utilisation_; }
  double mean_run_ms() const { return mean_; }
  /// W. Precondition: utilisation() < 1.
  double mean_wait_ms() const { return wait_; }

  /// Milliseconds that a share `level` (above 0 and below 1) of the requests does not exceed; infinite in
  /// overload.
  double quantile(double level) const;

 private:
  double above(double ms) const;
  double without_filling(double level) const;

  const latency::TimeQuantiles& times_;
  double slow_down_;
  double mean_ = 0;
  double gaps_ = 0;  ///< in a batch
  double gap_ms_ = 0;
  double utilisation_ = 0;
  double wait_ = 0;
};

}  // namespace concertina::slo
