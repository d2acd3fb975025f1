#include "control/supervision.h"

#include <fmt/format.h>

#include <system_error>

#include "base/try.h"

namespace concertina::control {
namespace {

Status check_period(std::chrono::milliseconds period) {
  if (period >= std::chrono::milliseconds(20) && period <= std::chrono::minutes(1)) return {};
  return Error{fmt::format("a machine cannot be looked at every {} ms; choose 20 to 60000, such as 200",
                           period.count())};
}

std::vector<double> costs_of(const std::vector<SubnetProfile>& sizes) {
  std::vector<double> costs;
  for (const SubnetProfile& size : sizes) costs.push_back(size.times.median());
  return costs;
}

}  // namespace

Result<std::unique_ptr<Supervision>> Supervision::start(const Model& model,
                                                        const std::vector<SubnetProfile>& sizes,
                                                        const AdaptiveOptions& options,
                                                        std::function<void(int)> allow_from) {
  RETURN_IF_ERROR(check_period(options.supervise));
  std::unique_ptr<Supervision> made(new Supervision);
  if (!options.plan.empty()) {
    ASSIGN_OR_RETURN(made->plan_, slo::RuleTable::read_for(options.plan, model, options.other_machine));
  }
  made->allow_from_ = std::move(allow_from);
  try {
    made->thread_.emplace(
        [reader = supervisor::SignalReader()] { return reader.read(); },
        supervisor::Supervisor(costs_of(sizes)),
        supervisor::SupervisorThread::Options{.period = options.supervise},
        [own = made.get()](const supervisor::Advice& advice) { own->allow_from_(own->largest(advice)); });
  } catch (const std::system_error& e) {
    return Error{fmt::format("the system refuses a thread to supervise the machine ({})", e.what())};
  }
  return made;
}

int Supervision::largest(const supervisor::Advice& advice) {
  state_.store(advice.state, std::memory_order_relaxed);
  if (!plan_) return advice.largest;
  rule_ = plan_->rule(advice.state, slow_down_.load(std::memory_order_relaxed), rule_);
  const slo::Rule& rule = plan_->rules[rule_];
  return plan_->designs[rule.design].subnet;
}

}  // namespace concertina::control
