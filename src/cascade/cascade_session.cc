#include "concertina/cascade_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <optional>
#include <utility>

#include "base/file.h"
#include "base/out_of_memory.h"
#include "base/sole_use.h"
#include "base/try.h"
#include "cascade/runner.h"
#include "concertina/session.h"
#include "control/subnet_profiles.h"

namespace concertina {
namespace {

Status check_budget(const CascadeBudget& budget, std::size_t scores, std::size_t classes) {
  if (!(budget.quantile > 0 && budget.quantile < 1)) {
    return Error{fmt::format("a budget's quantile cannot be {}; choose one above 0 and below 1, such as 0.99",
                             budget.quantile)};
  }
  if (scores != 0 && scores != classes) {
    return Error{
        fmt::format("there are {} floats of scores where the model has {} classes", scores, classes)};
  }
  return {};
}

}  // namespace

struct CascadeSession::Impl {
  Impl(Session own, std::vector<control::SubnetProfile> sizes)
      : session(std::move(own)), on_session(session), times(std::move(sizes)) {}

  /// Each stage tells how slow the machine is now.
  void learn(const cascade::CascadeRun& ran, Time started) {
    for (std::size_t k = 0; k < ran.stage_times.size(); ++k) {
      started += ran.stage_times[k];
      times.observe(chosen.stages[k].look.subnet, ran.stage_times[k], started);
    }
  }

  CascadeAnswer describe(const cascade::CascadeRun& ran) const {
    CascadeAnswer answer{
        .label = ran.label, .confidence = ran.confidence, .stages = ran.stages, .cut_short = ran.cut_short};
    if (ran.stages > 0) answer.subnet = chosen.stages[static_cast<std::size_t>(ran.stages) - 1].look.subnet;
    return answer;
  }

  Session session;
  cascade::SessionImageRunner on_session;
  SteadyClock clock;
  cascade::SlowedTimes times;
  cascade::Cascade chosen;
  std::optional<cascade::CascadeRunner> runner;  ///< a value; it points to the members above
  SoleUse use;
};

Result<CascadeSession> CascadeSession::make(std::shared_ptr<const Model> model,
                                            const std::filesystem::path& path,
                                            const CascadeOptions& options) try {
  ASSIGN_OR_RETURN(cascade::Cascade cascade, cascade::Cascade::read(path));
  if (const Status fits = cascade.check(*model); !fits) return in_file(path, fits.error());
  ASSIGN_OR_RETURN(Session session, Session::make(model, {.threads = options.threads}));
  ASSIGN_OR_RETURN(auto sizes, control::subnet_profiles(model, {.threads = options.threads,
                                                                .latency_table = options.latency_table,
                                                                .other_machine = options.other_machine}));
  auto impl = std::make_unique<Impl>(std::move(session), std::move(sizes));
  impl->chosen = std::move(cascade);
  ASSIGN_OR_RETURN(impl->runner, cascade::CascadeRunner::make(impl->chosen, *model, impl->on_session,
                                                              impl->clock, &impl->times));
  return CascadeSession(std::move(impl));
} catch (const std::bad_alloc&) {
  return out_of_memory();
}

CascadeSession::CascadeSession(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

CascadeSession::CascadeSession(CascadeSession&&) noexcept = default;
CascadeSession& CascadeSession::operator=(CascadeSession&&) noexcept = default;
CascadeSession::~CascadeSession() = default;

Result<CascadeAnswer> CascadeSession::run(std::span<const float> image, const CascadeBudget& budget,
                                          std::span<float> scores) try {
  Impl& own = *impl_;
  const SoleUse::Turn turn(own.use);
  if (!turn) return SoleUse::taken("session");
  const Time start = own.clock.now();
  RETURN_IF_ERROR(check_budget(budget, scores.size(), own.runner->scores().size()));
  std::optional<cascade::CascadeDeadline> deadline;
  // Others that are as late cannot be told from none.
  if (budget.deadline < Time::max() - start)
    deadline = {.at = start + std::max(budget.deadline, Time(0)), .quantile = budget.quantile};
  ASSIGN_OR_RETURN(const cascade::CascadeRun ran, own.runner->run(image, deadline));
  own.learn(ran, start);
  std::copy_n(own.runner->scores().begin(), scores.size(), scores.begin());
  const Time end = own.clock.now();
  CascadeAnswer answer = own.describe(ran);
  answer.actual_ms = to_ms(end - start);
  answer.in_time = ran.label >= 0 && (!deadline || end <= deadline->at);
  return answer;
} catch (const std::bad_alloc&) {
  return out_of_memory();
}

const Model& CascadeSession::model() const {
  return impl_->session.model();
}

}  // namespace concertina
