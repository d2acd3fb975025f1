#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "scheduler/scheduling_policy.h"

/// Models and queues for the tests of the scheduler. Times are milliseconds.
namespace concertina::testing {

struct TestSize {
  double accuracy = 0;
  std::vector<double> steps;
};

inline scheduler::ModelCost model(std::vector<TestSize> sizes) {
  scheduler::ModelCost cost{.name = "model", .sizes = {}};
  for (const TestSize& size : sizes) {
    std::vector<Time> steps;
    for (const double ms : size.steps) steps.push_back(from_ms(ms));
    cost.sizes.push_back(scheduler::SizeCost::of(size.accuracy, size.accuracy, steps));
  }
  return cost;
}

/// Three models: 4, 2 and 1 ms in four, two and one steps; at 0.9. The first has 2 ms at 0.88 and 1 ms at
/// 0.8, the second 1 ms at 0.89.
inline std::vector<scheduler::ModelCost> three_models() {
  return {model({{0.9, {1, 1, 1, 1}}, {0.88, {0.5, 0.5, 0.5, 0.5}}, {0.8, {0.25, 0.25, 0.25, 0.25}}}),
          model({{0.9, {1, 1}}, {0.89, {0.5, 0.5}}}), model({{0.9, {1}}})};
}

inline scheduler::Job job(int id, int which, double arrival, double deadline, int done = 0, int size = 0) {
  return {.id = id,
          .model = which,
          .arrival = from_ms(arrival),
          .deadline = from_ms(deadline),
          .size = size,
          .done = done};
}

inline scheduler::Situation at(double now, const std::vector<scheduler::Job>& queue, int running = -1) {
  return {.now = from_ms(now), .queue = queue, .running = running, .changed = true};
}

constexpr auto kRun = scheduler::Action::Kind::run;
constexpr auto kShed = scheduler::Action::Kind::shed;

/// `size` counts only where a step is run.
inline void expect_action(const scheduler::Action& action, scheduler::Action::Kind kind, int place,
                          int size = 0) {
  EXPECT_EQ(action.kind, kind);
  EXPECT_EQ(action.job, place);
  if (kind == kRun) {
    EXPECT_EQ(action.size, size);
  }
}

}  // namespace concertina::testing
