#include "concertina/scheduler.h"

#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <utility>

#include "base/out_of_memory.h"
#include "base/sole_use.h"
#include "base/try.h"
#include "scheduler/deadline_sizes.h"
#include "scheduler/executor.h"
#include "scheduler/step_loop.h"

namespace concertina {
namespace {

using scheduler::ModelCost;

constexpr int kLeastRounds = 20, kMostRounds = 1000;
constexpr Time kMeasuring = std::chrono::milliseconds(500);

/// A year: later deadlines could not be told from the end of time.
constexpr Time kLongest = std::chrono::hours(24 * 365);

/// Times the steps in as many rounds as the time allows.
Status measure(scheduler::StepExecutor& executor, std::vector<ModelCost>& costs) {
  RETURN_IF_ERROR(scheduler::measure_costs(executor, 1, costs));
  Time round{1};
  for (const ModelCost& model : costs) {
    for (const scheduler::SizeCost& size : model.sizes) round += size.total();
  }
  const auto rounds = std::clamp<Time::rep>(kMeasuring / round, kLeastRounds, kMostRounds);
  return scheduler::measure_costs(executor, static_cast<int>(rounds), costs);
}

Error wrong_size(const char* what, std::size_t given, std::size_t wanted) {
  return Error{fmt::format("there are {} floats of {} where the model has {}", given, what, wanted)};
}

}  // namespace

struct Scheduler::Impl {
  Impl(std::vector<std::shared_ptr<const Model>> shared, std::vector<Session> sessions,
       std::vector<ModelCost> untimed)
      : models(std::move(shared)), costs(std::move(untimed)), executor(std::move(sessions), clock) {}

  /// Precondition: the costs are measured.
  void start(const SchedulerOptions& options) {
    policy.emplace(costs, scheduler::DeadlineSizesOptions{.reserve = options.reserve});
    loop.emplace(costs, *policy, executor);
  }

  Status check(int model, std::size_t image, std::size_t outputs) const {
    if (model < 0 || static_cast<std::size_t>(model) >= models.size()) {
      return Error{
          fmt::format("there is no model number {}; the scheduler has 0 to {}", model, models.size() - 1)};
    }
    const Model& asked = *models[model];
    if (image != asked.input_size()) return wrong_size("an image", image, asked.input_size());
    if (outputs != asked.output_size()) return wrong_size("outputs", outputs, asked.output_size());
    return {};
  }

  ScheduledAnswer describe(const scheduler::JobRecord& record) const {
    const scheduler::Job& job = record.job;
    return {.request = job.id,
            .model = job.model,
            .subnet = job.size,
            .accuracy = costs[job.model].sizes[job.size].accuracy,
            .shed = record.shed,
            .in_time = record.in_time(),
            .actual_ms = to_ms(record.left - job.arrival)};
  }

  std::vector<std::shared_ptr<const Model>> models;
  std::vector<ModelCost> costs;
  SteadyClock clock;
  scheduler::SessionExecutor executor;
  std::optional<scheduler::DeadlineSizes> policy;  ///< values once started
  std::optional<scheduler::StepLoop> loop;
  std::int64_t submitted = 0;
  SoleUse use;
};

Result<Scheduler> Scheduler::make(std::vector<std::shared_ptr<const Model>> models,
                                  const SchedulerOptions& options) try {
  if (models.empty()) return Error{"a scheduler needs a model; give it one or several"};
  if (!(options.reserve >= 0 && options.reserve <= 1)) {
    return Error{fmt::format("a scheduler's reserve cannot be {}; choose 0 to 1", options.reserve)};
  }
  std::vector<Session> sessions;
  std::vector<ModelCost> costs;
  for (const auto& model : models) {
    ASSIGN_OR_RETURN(Session session, Session::make(model));
    costs.push_back(scheduler::untimed_cost(session, {}));
    sessions.push_back(std::move(session));
  }
  auto impl = std::make_unique<Impl>(std::move(models), std::move(sessions), std::move(costs));
  RETURN_IF_ERROR(measure(impl->executor, impl->costs));
  impl->start(options);
  return Scheduler(std::move(impl));
} catch (const std::bad_alloc&) {
  return out_of_memory();
}

Scheduler::Scheduler(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Scheduler::Scheduler(Scheduler&&) noexcept = default;
Scheduler& Scheduler::operator=(Scheduler&&) noexcept = default;
Scheduler::~Scheduler() = default;

Result<std::int64_t> Scheduler::submit(int model, std::span<const float> image,
                                       std::chrono::nanoseconds deadline, std::span<float> outputs) try {
  Impl& own = *impl_;
  const SoleUse::Turn turn(own.use);
  if (!turn) return SoleUse::taken("scheduler");
  RETURN_IF_ERROR(own.check(model, image.size(), outputs.size()));
  own.loop->refresh();
  const Time now = own.loop->now();
  own.loop->add({.id = own.submitted,
                 .model = model,
                 .arrival = now,
                 .deadline = now + std::clamp<Time>(deadline, -kLongest, kLongest),
                 .image = image,
                 .outputs = outputs});
  return own.submitted++;
} catch (const std::bad_alloc&) {
  return out_of_memory();
}

Result<std::optional<ScheduledAnswer>> Scheduler::advance() try {
  Impl& own = *impl_;
  const SoleUse::Turn turn(own.use);
  if (!turn) return SoleUse::taken("scheduler");
  if (own.loop->queue().empty()) return std::optional<ScheduledAnswer>();
  own.loop->refresh();
  ASSIGN_OR_RETURN(const std::optional<scheduler::JobRecord> left, own.loop->turn());
  if (!left) return std::optional<ScheduledAnswer>();
  return std::optional(own.describe(*left));
} catch (const std::bad_alloc&) {
  return out_of_memory();
}

std::size_t Scheduler::waiting() const {
  return impl_->loop->queue().size();
}

std::span<const std::shared_ptr<const Model>> Scheduler::models() const {
  return impl_->models;
}

}  // namespace concertina
