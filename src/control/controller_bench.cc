#include <benchmark/benchmark.h>

#include "control/controller.h"
#include "control/testing.h"

namespace concertina::control {
namespace {

std::vector<SubnetProfile> sizes(int count) {
  std::vector<SubnetProfile> result;
  for (int i = 0; i < count; ++i) result.push_back(testing::size(0.9 - 0.02 * i, 8.0 / (1 + i)));
  return result;
}

/// A decision and the observation of its run, with as many sub-nets and waiting requests.
void BM_DecideAndObserve(benchmark::State& state) {
  Controller controller(sizes(static_cast<int>(state.range(0))));
  std::vector<Time> waiting;
  for (int i = 0; i < state.range(1); ++i) waiting.push_back(from_ms(50 + i));
  Time now{0};
  for (auto _ : state) {
    const Decision decision =
        controller.decide({.now = now, .deadline = now + from_ms(9), .waiting = waiting});
    benchmark::DoNotOptimize(decision);
    controller.observe({.subnet = 1, .started = now, .took = from_ms(4), .deadline = now + from_ms(9)});
  }
}
BENCHMARK(BM_DecideAndObserve)->ArgNames({"subnets", "waiting"})->ArgsProduct({{8, 32}, {0, 64}});

/// The decision alone: what a request waits for.
void BM_Decide(benchmark::State& state) {
  Controller controller(sizes(static_cast<int>(state.range(0))));
  std::vector<Time> waiting;
  for (int i = 0; i < state.range(1); ++i) waiting.push_back(from_ms(50 + i));
  for (auto _ : state) {
    benchmark::DoNotOptimize(controller.decide({.now = Time(0), .deadline = from_ms(9), .waiting = waiting}));
  }
}
BENCHMARK(BM_Decide)->ArgNames({"subnets", "waiting"})->ArgsProduct({{8, 32}, {0, 64}});

}  // namespace
}  // namespace concertina::control
