#pragma once

#include <vector>

#include "base/random.h"
#include "simulation/contention.h"
#include "simulation/serve.h"

namespace concertina::simulation {

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

}  // namespace concertina::simulation
