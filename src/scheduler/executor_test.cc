#include "scheduler/executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/deadline_sizes.h"
#include "scheduler/step_loop.h"
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
      return {.job = static_cast<int>(at),
              .size = queue[at].begun() ? queue[at].size : static_cast<int>(queue[at].id % 3)};
    }
    return {};
  }
};

struct Fleet {
  std::vector<std::shared_ptr<const Model>> models;
  std::vector<ModelCost> costs;

  std::vector<Session> sessions() const {
    std::vector<Session> made;
    for (const auto& model : models) made.push_back(Session::make(model).value());
    return made;
  }
};

Fleet fleet() {
  Fleet made;
  for (const Graph& graph : {testing::branches(), testing::resnet8(), testing::locked()}) {
    made.models.push_back(testing::load(testing::model_file(graph, testing::nested_subnets(graph, 3))));
    made.costs.push_back(untimed_cost(Session::make(made.models.back()).value(), "model"));
  }
  return made;
}

TEST(SessionExecutor, InterruptedRunsGiveTheSameBits) {
  constexpr int kJobs = 30;
  const Fleet all = fleet();
  const CountingClock clock;
  SessionExecutor executor(all.sessions(), clock);
  Restless policy;
  StepLoop loop(all.costs, policy, executor);
  std::vector<Floats> images, outputs;
  for (int i = 0; i < kJobs; ++i) {
    const Model& model = *all.models[i % 3];
    images.push_back(testing::random_images(model, 1));
    outputs.emplace_back(model.output_size());
  }
  for (int i = 0; i < kJobs; ++i) {
    loop.add({.id = i, .model = i % 3, .deadline = from_ms(1000), .image = images[i], .outputs = outputs[i]});
  }
  int answers = 0;
  while (!loop.queue().empty()) {
    const std::optional<JobRecord> left = loop.turn().value();
    if (!left) continue;
    ++answers;
    const auto id = static_cast<std::size_t>(left->job.id);
    EXPECT_EQ(outputs[id], testing::run_alone(all.models[id % 3], {}, images[id], 1, left->job.size)) << id;
  }
  EXPECT_EQ(answers, kJobs);
  EXPECT_GT(loop.counts().preemptions, 100);
}

TEST(SessionExecutor, IsTimedStepByStep) {
  Fleet all = fleet();
  const CountingClock clock;
  SessionExecutor executor(all.sessions(), clock);
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
  SessionExecutor executor(all.sessions(), clock);
  ASSERT_TRUE(measure_costs(executor, 2, all.costs));
  DeadlineSizes policy(all.costs);
  std::vector<Job> queue;
  for (int i = 0; i < 64; ++i) {
    queue.push_back({.id = i, .model = i % 3, .deadline = from_ms(0.05 * (1 + i % 7))});
  }
  const Situation situation{.now = Time(0), .queue = queue};
  for (int i = 0; i < 64; ++i) policy.choose(situation);
  const std::int64_t before = testing::allocation_count();
  for (int i = 0; i < 3; ++i) {
    policy.choose(situation);
    policy.observe({.model = i, .predicted = Time(1000), .took = Time(2000)});
  }
  EXPECT_EQ(testing::allocation_count(), before);
}

}  // namespace
}  // namespace concertina::scheduler
