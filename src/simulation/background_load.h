#pragma once

#include <thread>
#include <vector>

#include "simulation/contention.h"
#include "simulation/server.h"

namespace concertina::simulation {

/// Makes the machine as slow as a contention says, for real: on each of the processors a thread takes the
/// share 1 - 1 / factor of the time in short bursts, at a real-time priority where the system grants it.
class BackgroundLoad {
 public:
  /// Begins at once, with the contention's time 0. `overhead` is the share of the time that switching between
  /// runs and bursts costs besides; bursts are shorter by as much. Precondition: `processors` are this
  /// process's.
  BackgroundLoad(Contention contention, const std::vector<int>& processors, double overhead = 0);
  ~BackgroundLoad();
  BackgroundLoad(const BackgroundLoad&) = delete;
  BackgroundLoad& operator=(const BackgroundLoad&) = delete;

  /// False if the system has refused the priority: then its scheduler decides who runs when.
  bool has_priority() const { return has_priority_; }

 private:
  Contention contention_;
  double overhead_;
  bool has_priority_ = true;
  std::vector<std::jthread> threads_;
};

/// How many times longer the largest sub-net's runs take under a steady load of this factor and overhead than
/// without it; a quarter of a second of each, in turns.
Result<double> measured_slow_down(double factor, double overhead, const std::vector<int>& processors,
                                  Server& server);

/// The overhead with which a factor of 1.8 is one, found by measuring twice.
Result<double> measured_overhead(const std::vector<int>& processors, Server& server);

}  // namespace concertina::simulation
