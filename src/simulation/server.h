#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "concertina/session.h"
#include "control/policy.h"
#include "simulation/contention.h"
#include "simulation/metrics.h"

namespace concertina::simulation {

/// What answers requests, one after the other: the machine, or a model of it.
class Server {
 public:
  virtual ~Server() = default;
  virtual const Clock& clock() const = 0;
  /// Returns when it is that late, at once if it is later.
  virtual void wait_until(Time time) = 0;
  /// Runs the sub-net for the request with this index, to its end.
  virtual Status run(int subnet, std::size_t request) = 0;
};

/// A machine that is as slow as the contention says and whose runs scatter as the latency table's do. How far
/// a run lies from the median depends on the seed and the request alone, so that policies meet equal luck.
class SimulatedServer final : public Server {
 public:
  /// The times of the machine are counted from the contention's start.
  SimulatedServer(std::vector<control::SubnetProfile> sizes, Contention contention, std::uint64_t seed)
      : sizes_(std::move(sizes)), contention_(std::move(contention)), random_(seed) {}

  const Clock& clock() const override { return clock_; }
  void wait_until(Time time) override { clock_.set(std::max(time, clock_.now())); }
  Status run(int subnet, std::size_t request) override;

  /// When the run would end that begins at `start`. What the offline optimum knows.
  Time end_of(int subnet, std::size_t request, Time start) const;

 private:
  std::vector<control::SubnetProfile> sizes_;
  Contention contention_;
  CounterRandom random_;
  ManualClock clock_;
};

/// The real machine and the real runtime.
class ModelServer final : public Server {
 public:
  /// Every run is of `batch` images, taken in turn from `images`, normalised ones one after the other.
  /// Preconditions: at least one batch of them; batch is at most the session's largest.
  ModelServer(Session session, int batch, std::vector<float> images);

  const Clock& clock() const override { return clock_; }
  void wait_until(Time time) override;
  Status run(int subnet, std::size_t request) override;

 private:
  Session session_;
  int batch_;
  std::vector<float> images_;
  std::vector<float> logits_;
  SteadyClock clock_;
};

struct ServeOptions {
  Time deadline{0};  ///< from each arrival
  double quantile = 0.99;
  double min_accuracy = 0;
};

/// Lets `policy` answer requests that arrive at these times after the start, in their order. One whose
/// deadline has passed when its turn comes is not run, whatever the policy. Returns an outcome for each
/// request, times since the start. Precondition: arrivals ascend.
Result<std::vector<Outcome>> serve(std::span<const Time> arrivals, const ServeOptions& options,
                                   control::Policy& policy, Server& server);

}  // namespace concertina::simulation
