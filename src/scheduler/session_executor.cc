#include "scheduler/session_executor.h"

#include <utility>

namespace concertina::scheduler {

SessionExecutor::SessionExecutor(std::vector<Tenant> tenants, const Clock& clock, Answered answered)
    : tenants_(std::move(tenants)), clock_(clock), origin_(clock.now()), answered_(std::move(answered)) {
  for (const Tenant& tenant : tenants_) logits_.emplace_back(tenant.session.model().output_size());
}

void SessionExecutor::wait_until(Time moment) {
  while (now() < moment) {
  }
}

Status SessionExecutor::begin(const Job& job) {
  const auto model = static_cast<std::size_t>(job.model);
  return tenants_[model].session.begin(tenants_[model].images, 1, job.size, logits_[model]);
}

Status SessionExecutor::step(const Job& job) {
  const auto model = static_cast<std::size_t>(job.model);
  if (tenants_[model].session.advance() && answered_) answered_(job, logits_[model]);
  return {};
}

}  // namespace concertina::scheduler
