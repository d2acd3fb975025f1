#include "simulation/scheduling/schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "scheduler/testing.h"
#include "simulation/scheduling/baselines.h"
#include "simulation/scheduling/scheduling_policies.h"
#include "simulation/scheduling/simulated_executor.h"

namespace concertina::simulation {
namespace {

using scheduler::Action;
using scheduler::JobRecord;
using scheduler::ModelCost;
using scheduler::SchedulingPolicy;
using scheduler::Situation;
using scheduler::SizeCost;
using ::testing::HasSubstr;
using testing::three_models;

constexpr StepSimulationOptions kExact = {.noise = 0};

Arrival arrival(int model, double at, double deadline) {
  return {.model = model, .at = from_ms(at), .deadline = from_ms(deadline)};
}

ScheduleLog served(SchedulingPolicy& policy, const std::vector<Arrival>& arrivals) {
  const auto models = three_models();
  SimulatedExecutor executor(models, kExact);
  return run_schedule(models, arrivals, policy, executor).value();
}

TEST(Schedule, ServesInOrderAndWaitsWhereThereIsNothingToDo) {
  FirstCome policy;
  const ScheduleLog log = served(policy, {arrival(1, 1, 9), arrival(2, 2, 3.5), arrival(2, 10, 20)});
  ASSERT_EQ(log.records.size(), 3U);
  EXPECT_EQ(log.records[0].left, from_ms(3));
  EXPECT_EQ(log.records[1].left, from_ms(4));
  EXPECT_EQ(log.records[2].left, from_ms(11));
  EXPECT_TRUE(log.records[0].in_time());
  EXPECT_FALSE(log.records[1].in_time());
  EXPECT_EQ(log.counts.preemptions, 0);
  EXPECT_EQ(log.counts.steps, 4);
  EXPECT_EQ(log.ended, from_ms(11));
}

TEST(Schedule, InterruptsBetweenSteps) {
  ShortestRemaining policy(three_models());
  const ScheduleLog log = served(policy, {arrival(0, 0, 9), arrival(2, 0.5, 9)});
  ASSERT_EQ(log.records.size(), 2U);
  EXPECT_EQ(log.records[0].job.id, 1);
  EXPECT_EQ(log.records[0].left, from_ms(2));
  EXPECT_EQ(log.records[1].left, from_ms(5));
  EXPECT_EQ(log.counts.preemptions, 1);
}

TEST(Schedule, EveryRequestLeavesOnce) {
  const auto models = three_models();
  for (const double load : {0.5, 1.0, 3.0}) {
    const auto arrivals =
        make_requests(models, {.load = load, .requests = 500, .deadline_multiple = 4, .seed = 7}).value();
    for (const std::string& name : scheduling_policies()) {
      const auto policy = make_scheduling_policy(name, models).value();
      SimulatedExecutor executor(models, {.noise = 0.3, .slowdown = 1.2});
      const auto log = run_schedule(models, arrivals, *policy, executor);
      ASSERT_TRUE(log) << log.error().message;
      std::set<std::int64_t> ids;
      for (const JobRecord& record : log->records) {
        ids.insert(record.job.id);
        const auto& sizes = models[record.job.model].sizes;
        const int steps = sizes[record.job.size].steps();
        EXPECT_EQ(record.job.done == steps, !record.shed) << name;
        EXPECT_GE(record.left, record.job.arrival) << name;
      }
      EXPECT_EQ(ids.size(), 500U) << name;
      EXPECT_EQ(log->records.size(), 500U) << name;
    }
  }
}

// The goal, in small: deadlines that no other policy meets are met, for a point of accuracy at most.
TEST(Schedule, SizesMeetMoreDeadlinesThanAnyOtherPolicy) {
  const auto models = three_models();
  for (const double load : {0.95, 1.0, 1.05}) {
    const auto arrivals = make_requests(models, {.load = load, .requests = 2000}).value();
    ScheduleMetrics ours, best_other{.violations = 1};
    for (const std::string& name : scheduling_policies()) {
      const auto policy = make_scheduling_policy(name, models).value();
      SimulatedExecutor executor(models, {});
      const auto metrics = measure(run_schedule(models, arrivals, *policy, executor).value(), models);
      if (name == "sizes") {
        ours = metrics;
      } else if (metrics.violations < best_other.violations) {
        best_other = metrics;
      }
    }
    EXPECT_LT(ours.violations, best_other.violations) << load;
    EXPECT_LT(ours.accuracy_lost, 0.01) << load;
  }
}

class Stubborn final : public SchedulingPolicy {
 public:
  explicit Stubborn(Action action) : action_(action) {}
  std::string_view name() const override { return "stubborn"; }
  Action choose(const Situation&) override { return action_; }

 private:
  Action action_;
};

TEST(Schedule, RefusesWhatCannotBe) {
  const auto models = three_models();
  const std::vector<Arrival> arrivals = {arrival(1, 0, 9)};
  for (const Action& action : {Action{.job = 1}, Action{.job = -1}, Action{.size = 2}, Action{.size = -1},
                               Action{.kind = Action::Kind::shed, .job = 1}}) {
    Stubborn policy(action);
    SimulatedExecutor executor(models, kExact);
    EXPECT_THAT(run_schedule(models, arrivals, policy, executor).error().message,
                HasSubstr("the policy 'stubborn' asks for job"));
  }
}

TEST(ScheduleMetrics, AreWhatTheLogSays) {
  const auto models = three_models();
  ScheduleLog log{.records = {{.job = testing::job(0, 0, 0, 5, 4, 1), .left = from_ms(2)},
                              {.job = testing::job(1, 1, 0, 5, 2), .left = from_ms(6)},
                              {.job = testing::job(2, 2, 0, 5), .left = from_ms(5), .shed = true},
                              {.job = testing::job(3, 2, 4, 9, 1), .left = from_ms(7)}},
                  .counts = {.preemptions = 2, .restarts = 1, .steps = 7, .deciding = from_ms(0.014)},
                  .ended = from_ms(8)};
  const ScheduleMetrics metrics = measure(log, models);
  EXPECT_DOUBLE_EQ(metrics.violations, 0.5);
  EXPECT_DOUBLE_EQ(metrics.shed, 0.25);
  EXPECT_DOUBLE_EQ(metrics.antt, (2.0 / 4 + 6.0 / 2 + 3.0 / 1) / 3);
  EXPECT_DOUBLE_EQ(metrics.throughput, 3 / 0.008);
  EXPECT_DOUBLE_EQ(metrics.accuracy, (0.88 + 0.9 + 0.9) / 3);
  EXPECT_NEAR(metrics.accuracy_lost, 0.02 / 3, 1e-12);
  EXPECT_DOUBLE_EQ(metrics.useful, (0.88 + 0.9) / 4);
  EXPECT_DOUBLE_EQ(metrics.preemptions, 0.5);
  EXPECT_DOUBLE_EQ(metrics.restarts, 0.25);
  EXPECT_NEAR(metrics.decision_us, 2, 1e-9);
}

TEST(ScheduledRequests, BringTheLoadThatIsAskedFor) {
  const auto models = three_models();
  const auto arrivals =
      make_requests(models, {.load = 0.8, .requests = 20000, .deadline_multiple = 3}).value();
  ASSERT_EQ(arrivals.size(), 20000U);
  Time work{0}, before{0};
  std::vector<int> counts(3);
  for (const Arrival& one : arrivals) {
    const Time isolated = models[one.model].isolated();
    EXPECT_GE(one.at, before);
    EXPECT_EQ(one.deadline - one.at, 3 * isolated);
    before = one.at;
    work += isolated;
    ++counts[one.model];
  }
  EXPECT_NEAR(to_ms(work) / to_ms(before), 0.8, 0.03);
  for (const int count : counts) EXPECT_NEAR(count, 20000 / 3.0, 300);
  EXPECT_EQ(make_requests(models, {.requests = 5}).value()[4].at,
            make_requests(models, {.requests = 9}).value()[4].at);
}

TEST(MeasureCosts, FindsWhatTheExecutorTakes) {
  const auto models = three_models();
  auto measured = three_models();
  for (ModelCost& model : measured) {
    for (SizeCost& size : model.sizes) std::fill(size.left.begin(), size.left.end(), Time(0));
  }
  SimulatedExecutor executor(models, {.noise = 0, .slowdown = 2});
  ASSERT_TRUE(scheduler::measure_costs(executor, 3, measured));
  for (std::size_t m = 0; m < models.size(); ++m) {
    for (std::size_t s = 0; s < models[m].sizes.size(); ++s) {
      const SizeCost &is = measured[m].sizes[s], &was = models[m].sizes[s];
      EXPECT_EQ(is.accuracy, was.accuracy);
      ASSERT_EQ(is.steps(), was.steps());
      for (int i = 0; i < is.steps(); ++i) EXPECT_EQ(is.step(i), 2 * was.step(i));
    }
  }
}

}  // namespace
}  // namespace concertina::simulation
