#pragma once

#include <thread>
#include <vector>

#include "control/workload/contention.h"

namespace concertina::control {

/// Makes the machine as slow as a contention says, for real: on each of the processors a thread takes the
/// share 1 - 1 / factor of the time in short bursts, at a real-time priority where the system grants it.
class BackgroundLoad {
 public:
  /// Begins at once, with the contention's time 0. Precondition: `processors` are this process's.
  BackgroundLoad(Contention contention, const std::vector<int>& processors);
  ~BackgroundLoad();
  BackgroundLoad(const BackgroundLoad&) = delete;
  BackgroundLoad& operator=(const BackgroundLoad&) = delete;

  /// False if the system has refused the priority: then its scheduler decides who runs when.
  bool has_priority() const { return has_priority_; }

 private:
  Contention contention_;
  bool has_priority_ = true;
  std::vector<std::jthread> threads_;
};

}  // namespace concertina::control
