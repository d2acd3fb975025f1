#pragma once

#include <cstdint>
#include <vector>

#include "scheduler/cost_monitor.h"
#include "scheduler/scheduling_policy.h"

/// The scheduling policies that ours is compared with. All of them run every request at the full size.
namespace concertina::simulation {

/// First come, first served: every request at the full size, to its end.
class FirstCome final : public scheduler::SchedulingPolicy {
 public:
  std::string_view name() const override { return "fcfs"; }
  scheduler::Action choose(const scheduler::Situation& situation) override {
    return scheduler::run_on(situation.queue, 0);
  }
};

/// Earliest deadline first at the full size, with admission control: a request is rejected when it comes
/// unless it and all that were admitted can be expected to end in time, in the order of deadlines (Liu,
/// Layland 1973: no order does better). Who is admitted is answered, late or not.
class EarliestDeadline final : public scheduler::SchedulingPolicy {
 public:
  explicit EarliestDeadline(std::vector<scheduler::ModelCost> models);

  std::string_view name() const override { return "edf"; }
  scheduler::Action choose(const scheduler::Situation& situation) override;
  void observe(const scheduler::StepObservation& step) override { monitor_.observe(step); }

 private:
  bool fits(const scheduler::Situation& situation, std::size_t newcomer);

  std::vector<scheduler::ModelCost> models_;
  scheduler::CostMonitor monitor_;
  std::vector<const scheduler::Job*> order_;
  std::int64_t judged_ = -1;  ///< the last job that was admitted or rejected
};

/// Shortest remaining time first at the full size (Schrage 1968: it makes the mean time in the queue least),
/// by predictions that the cost monitor corrects.
class ShortestRemaining final : public scheduler::SchedulingPolicy {
 public:
  explicit ShortestRemaining(std::vector<scheduler::ModelCost> models);

  std::string_view name() const override { return "srtf"; }
  scheduler::Action choose(const scheduler::Situation& situation) override;
  void observe(const scheduler::StepObservation& step) override { monitor_.observe(step); }

 private:
  std::vector<scheduler::ModelCost> models_;
  scheduler::CostMonitor monitor_;
};

/// The dynamic score of Dysta (Fan et al., MICRO 2023, "Sparse-DySta"), as remembered, not as looked up. The
/// job of the least score runs, at the full size:
///
///   score = remaining + eta (slack + penalty)
///   slack = deadline - now - remaining
///   penalty = (now - arrival - isolated + remaining) / isolated / jobs in the queue
///
/// in milliseconds, the penalty being a number. `remaining` is the prediction corrected by what the model's
/// steps took, which stands for Dysta's latency predictor from sparsity; now - arrival - isolated + remaining
/// is the time that the job has waited.
class Dysta final : public scheduler::SchedulingPolicy {
 public:
  explicit Dysta(std::vector<scheduler::ModelCost> models, double eta);

  std::string_view name() const override { return "dysta"; }
  scheduler::Action choose(const scheduler::Situation& situation) override;
  void observe(const scheduler::StepObservation& step) override { monitor_.observe(step); }

 private:
  std::vector<scheduler::ModelCost> models_;
  scheduler::CostMonitor monitor_;
  double eta_;
};

}  // namespace concertina::simulation
