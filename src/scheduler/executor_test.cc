#include "scheduler/executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "scheduler/deadline_sizes.h"
#include "scheduler/scheduler.h"
#include "testing/allocation_count.h"
#include "testing/models.h"

namespace concertina::scheduler {
namespace {

using testing::Floats;

/// A clock by which everything takes a microsecond, so that a schedule on the runtime is the same every time.
class CountingClock final : public Clock {
 public:
  Time now() const override { return Time(1000 * ++reads_); }

 private:
  mutable Time::rep reads_ = 0;
};

/// Each time another job than the last, each at another size: as many interruptions as can be.
class Restless final : public SchedulingPolicy {
 public:
  std::string_view name() const override { return "restless"; }
  Action choose(const Situation& situation) override {
    const std::span<const Job> queue = situation.queue;
    for (std::size_t i = 1; i <= queue.size(); ++i) {
      const std::size_t at = (static_cast<std::size_t>(std::max(situation.running, 0)) + i) % queue.size();
      if (!runnable(queue, at)) continue;
      return {.job = static_cast<int>(at), .size = queue[at].begun() ? queue[at].size : queue[at].id % 3};
    }
    return {};
  }
};

struct Fleet {
  std::vector<std::shared_ptr<const Model>> models;
  std::vector<Floats> images;
  std::vector<ModelCost> costs;

  std::vector<SessionExecutor::Tenant> tenants() const {
    std::vector<SessionExecutor::Tenant> sessions;
    for (std::size_t m = 0; m < models.size(); ++m) {
      sessions.push_back({.session = Session::make(models[m]).value(), .images = images[m]});
    }
    return sessions;
  }
};

Fleet fleet() {
  Fleet made;
  for (const Graph& graph : {testing::branches(), testing::resnet8(), testing::locked()}) {
    made.models.push_back(testing::load(testing::model_file(graph, testing::nested_subnets(graph, 3))));
    made.images.push_back(testing::random_images(*made.models.back(), 1));
    made.costs.push_back(untimed_cost(Session::make(made.models.back()).value(), "model"));
  }
  return made;
}

std::vector<Arrival> crowd(int requests) {
  std::vector<Arrival> arrivals;
  for (int i = 0; i < requests; ++i) {
    arrivals.push_back({.model = i % 3, .at = Time(1000 * i), .deadline = from_ms(1000)});
  }
  return arrivals;
}

TEST(SessionExecutor, InterruptedRunsGiveTheSameBits) {
  const Fleet all = fleet();
  const CountingClock clock;
  int answers = 0;
  SessionExecutor executor(all.tenants(), clock, [&](const Job& job, std::span<const float> logits) {
    const auto model = static_cast<std::size_t>(job.model);
    const Floats wanted = testing::run_alone(all.models[model], {}, all.images[model], 1, job.size);
    EXPECT_EQ(Floats(logits.begin(), logits.end()), wanted) << job.id;
    ++answers;
  });
  Restless policy;
  const ScheduleLog log = run_schedule(all.costs, crowd(30), policy, executor).value();
  EXPECT_EQ(answers, 30);
  EXPECT_EQ(log.records.size(), 30U);
  EXPECT_GT(log.preemptions, 100);
}

TEST(SessionExecutor, IsTimedStepByStep) {
  Fleet all = fleet();
  const CountingClock clock;
  SessionExecutor executor(all.tenants(), clock);
  ASSERT_TRUE(measure_costs(executor, 2, all.costs));
  for (const ModelCost& model : all.costs) {
    EXPECT_EQ(model.sizes.size(), 3U);
    for (const SizeCost& size : model.sizes) EXPECT_EQ(size.total(), Time(1000 * size.steps()));
  }
  executor.restart_clock();
  EXPECT_EQ(executor.now(), Time(1000));
  executor.wait_until(Time(9000));
  EXPECT_GT(executor.now(), Time(9000));
}

TEST(SessionExecutor, DecisionsDoNotAllocate) {
  if (testing::allocation_count() < 0) GTEST_SKIP() << "a sanitizer owns operator new";
  Fleet all = fleet();
  const CountingClock clock;
  SessionExecutor executor(all.tenants(), clock);
  ASSERT_TRUE(measure_costs(executor, 2, all.costs));
  for (const std::string& name : scheduling_policies()) {
    const auto policy = make_scheduling_policy(name, all.costs).value();
    std::vector<Job> queue;
    for (int i = 0; i < 64; ++i) {
      queue.push_back({.id = i, .model = i % 3, .deadline = from_ms(0.05 * (1 + i % 7))});
    }
    const Situation situation{.now = Time(0), .queue = queue};
    for (int i = 0; i < 64; ++i) policy->choose(situation);
    const std::int64_t before = testing::allocation_count();
    for (int i = 0; i < 3; ++i) {
      policy->choose(situation);
      policy->observe({.model = i, .predicted = Time(1000), .took = Time(2000)});
    }
    EXPECT_EQ(testing::allocation_count(), before) << name;
  }
}

}  // namespace
}  // namespace concertina::scheduler
