#pragma once

#include "scheduler/scheduling_policy.h"

namespace concertina::scheduler {

/// First come, first served: every request at the full size, to its end.
class FirstCome final : public SchedulingPolicy {
 public:
  std::string_view name() const override { return "fcfs"; }
  Action choose(const Situation& situation) override { return run_on(situation.queue, 0); }
};

}  // namespace concertina::scheduler
