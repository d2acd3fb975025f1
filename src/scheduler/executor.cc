#include "scheduler/executor.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/try.h"
#include "profile/measure_subnets.h"

namespace concertina::scheduler {
namespace {

using Times = std::vector<std::vector<Time>>;  // [step][round]

Time usual(std::vector<Time>& times) {
  std::sort(times.begin(), times.end());
  times.resize(times.size() - times.size() / 20);
  return std::accumulate(times.begin(), times.end(), Time(0)) / static_cast<Time::rep>(times.size());
}

Status time_run(StepExecutor& executor, Job job, Times& times) {
  RETURN_IF_ERROR(executor.begin(job));
  Time before = executor.now();
  for (; job.done < static_cast<int>(times.size()); ++job.done) {
    RETURN_IF_ERROR(executor.step(job));
    const Time after = executor.now();
    times[job.done].push_back(after - before);
    before = after;
  }
  return {};
}

}  // namespace

SessionExecutor::SessionExecutor(std::vector<Session> sessions, const Clock& clock)
    : clock_(clock), origin_(clock.now()) {
  for (Session& session : sessions) {
    std::vector<float> image = profile::some_inputs(session.model(), 1),
                       outputs(session.model().output_size());
    tenants_.push_back(
        {.session = std::move(session), .image = std::move(image), .outputs = std::move(outputs)});
  }
}

void SessionExecutor::wait_until(Time moment) {
  while (now() < moment) {
  }
}

Status SessionExecutor::begin(const Job& job) {
  Tenant& tenant = tenants_[job.model];
  return tenant.session.begin(job.image.empty() ? std::span<const float>(tenant.image) : job.image, 1,
                              job.size, job.outputs.empty() ? std::span<float>(tenant.outputs) : job.outputs);
}

Status SessionExecutor::step(const Job& job) {
  tenants_[job.model].session.advance();
  return {};
}

ModelCost untimed_cost(const Session& session, std::string name) {
  ModelCost cost{.name = std::move(name), .sizes = {}};
  for (int size = 0; const SubnetInfo& info : session.model().subnets()) {
    const std::vector<Time> steps(static_cast<std::size_t>(session.steps(size++)));
    cost.sizes.push_back(
        SizeCost::of(info.validation_accuracy, info.test_accuracy.value_or(info.validation_accuracy), steps));
  }
  return cost;
}

Status measure_costs(StepExecutor& executor, int rounds, std::span<ModelCost> models) {
  std::vector<std::vector<Times>> times(models.size());
  std::size_t most = 0;
  for (std::size_t m = 0; m < models.size(); ++m) {
    for (const SizeCost& size : models[m].sizes) {
      auto& steps = times[m].emplace_back(static_cast<std::size_t>(size.steps()));
      for (auto& step : steps) step.reserve(static_cast<std::size_t>(rounds));
    }
    most = std::max(most, times[m].size());
  }
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t s = 0; s < most; ++s) {
      for (std::size_t m = 0; m < models.size(); ++m) {
        if (s >= times[m].size()) continue;
        RETURN_IF_ERROR(
            time_run(executor, {.model = static_cast<int>(m), .size = static_cast<int>(s)}, times[m][s]));
      }
    }
  }
  for (std::size_t m = 0; m < models.size(); ++m) {
    for (std::size_t s = 0; s < times[m].size(); ++s) {
      std::vector<Time> steps;
      for (auto& step : times[m][s]) steps.push_back(usual(step));
      SizeCost& size = models[m].sizes[s];
      size = SizeCost::of(size.accuracy, size.reported_accuracy, steps);
    }
  }
  return {};
}

}  // namespace concertina::scheduler
