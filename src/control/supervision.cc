#include "control/supervision.h"

#include <fmt/format.h>

#include <system_error>

#include "base/try.h"
#include "runtime/packing.h"

namespace concertina::control {
namespace {

Status check_period(std::chrono::milliseconds period) {
  if (period >= std::chrono::milliseconds(20) && period <= std::chrono::minutes(1)) return {};
  return Error{fmt::format("a machine cannot be looked at every {} ms; choose 20 to 60000, such as 200",
                           period.count())};
}

Result<RuleTable> read_plan(const Model& model, const AdaptiveOptions& options) {
  CONCERTINA_ASSIGN(RuleTable plan, RuleTable::read(options.plan));
  Status fits = plan.check_model(model.subnets(), runtime::precision_name(model.precision()));
  if (fits && !options.other_machine) fits = plan.check_machine();
  if (!fits) return Error{fmt::format("'{}': {}", options.plan.string(), fits.error().message)};
  return plan;
}

std::vector<double> costs_of(const std::vector<Size>& sizes) {
  std::vector<double> costs;
  for (const Size& size : sizes) costs.push_back(size.times.median());
  return costs;
}

}  // namespace

Result<std::unique_ptr<Supervision>> Supervision::start(const Model& model, const std::vector<Size>& sizes,
                                                        const AdaptiveOptions& options,
                                                        std::function<void(int)> allow_from) {
  CONCERTINA_TRY(check_period(options.supervise));
  std::unique_ptr<Supervision> made(new Supervision);
  if (!options.plan.empty()) {
    CONCERTINA_ASSIGN(made->plan_, read_plan(model, options));
  }
  made->allow_from_ = std::move(allow_from);
  try {
    made->thread_.emplace(
        [reader = SignalReader()] { return reader.read(); }, Supervisor(costs_of(sizes)),
        SupervisorThread::Options{.period = options.supervise},
        [own = made.get()](const Advice& advice) { own->allow_from_(own->largest(advice)); });
  } catch (const std::system_error& e) {
    return Error{fmt::format("the system refuses a thread to supervise the machine ({})", e.what())};
  }
  return made;
}

int Supervision::largest(const Advice& advice) {
  if (!plan_) return advice.largest;
  rule_ = plan_->rule(advice.state, slow_down_.load(std::memory_order_relaxed), rule_);
  const Rule& rule = plan_->rules[static_cast<std::size_t>(rule_)];
  return plan_->designs[static_cast<std::size_t>(rule.design)].subnet;
}

}  // namespace concertina::control
