#pragma once

#include <functional>
#include <vector>

#include "concertina/session.h"
#include "scheduler/executor.h"

namespace concertina::scheduler {

/// Runs steps on the runtime, one session and one image for each model. It waits without giving the processor
/// away: a wake-up would be late by as much as a step. For one thread at a time.
class SessionExecutor final : public StepExecutor {
 public:
  struct Tenant {
    Session session;
    std::vector<float> images;  ///< one
  };
  /// Called with a job that has been answered and its logits, which are there until it returns.
  using Answered = std::function<void(const Job& job, std::span<const float> logits)>;

  /// The clock must outlive it. Precondition: every image has its model's input_size().
  SessionExecutor(std::vector<Tenant> tenants, const Clock& clock, Answered answered = {});

  /// now() is zero again.
  void restart_clock() { origin_ = clock_.now(); }

  Time now() const override { return clock_.now() - origin_; }
  void wait_until(Time moment) override;
  Status begin(const Job& job) override;
  Status step(const Job& job) override;

 private:
  std::vector<Tenant> tenants_;
  std::vector<std::vector<float>> logits_;
  const Clock& clock_;
  Time origin_;
  Answered answered_;
};

}  // namespace concertina::scheduler
