#include "concertina/adaptive_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <new>

#include "base/out_of_memory.h"
#include "base/sole_use.h"
#include "base/try.h"
#include "concertina/session.h"
#include "control/controller.h"
#include "control/subnet_profiles.h"
#include "control/supervision.h"

namespace concertina {
namespace {

/// A year: later deadlines could not be told from the end of time.
constexpr Time kLongest = std::chrono::hours(24 * 365);

Status check_quantile(const Budget& budget) {
  if (!(budget.quantile > 0 && budget.quantile < 1)) {
    return Error{fmt::format("a budget's quantile cannot be {}; choose one above 0 and below 1, such as 0.99",
                             budget.quantile)};
  }
  return {};
}

Status check_accuracy(const Budget& budget, double best_accuracy) {
  if (!(budget.min_accuracy >= 0 && budget.min_accuracy <= 1)) {
    return Error{fmt::format("a budget's min_accuracy cannot be {}; choose one of 0 to 1, such as 0.92",
                             budget.min_accuracy)};
  }
  if (budget.min_accuracy > best_accuracy) {
    return Error{fmt::format("no sub-net has an accuracy of {:.4f}; the best that may run has {:.4f}",
                             budget.min_accuracy, best_accuracy)};
  }
  return {};
}

}  // namespace

struct AdaptiveSession::Impl {
  Impl(Session own, std::vector<control::SubnetProfile> known, int images)
      : session(std::move(own)), sizes(known), controller(std::move(known)), batch(images) {}

  double accuracy(int subnet) const { return sizes[subnet].accuracy; }

  double best_accuracy() const {
    double best = 0;
    for (std::size_t i = static_cast<std::size_t>(controller.first_allowed()); i < sizes.size(); ++i)
      best = std::max(best, sizes[i].accuracy);
    return best;
  }

  control::Decision decide(const control::Request& request) {
    if (!selected) return controller.decide(request);
    return controller.decide_on(*selected, request);
  }

  /// A session also takes images at the resolution of its sub-net, but here nobody knows which one will run.
  Status check_images(std::size_t floats) const {
    const std::size_t wanted = static_cast<std::size_t>(batch) * session.model().input_size();
    if (floats == wanted) return {};
    return Error{
        fmt::format("there are {} floats of images where a batch of {} has {}", floats, batch, wanted)};
  }

  /// What is asked for is answered, even if it will be late.
  int fastest(double min_accuracy) const {
    int best = -1;
    for (int i = controller.first_allowed(); i < static_cast<int>(sizes.size()); ++i) {
      if (accuracy(i) < min_accuracy) continue;
      if (best < 0 || controller.expected_ms(i) < controller.expected_ms(best)) best = i;
    }
    return best;
  }

  /// The lower of what the user and the supervisor allow.
  void allow_from(std::atomic<int>& mine, int subnet) {
    mine.store(subnet);
    controller.allow_from(std::max(users_limit.load(), supervisors_limit.load()));
  }

  Session session;
  std::vector<control::SubnetProfile> sizes;
  control::Controller controller;
  SteadyClock clock;
  std::optional<int> selected;
  int batch;
  SoleUse use;
  std::atomic<int> users_limit{0}, supervisors_limit{0};
  std::atomic<double> slow_down{1};
  std::unique_ptr<control::Supervision> supervision;  // last: its thread ends before what it uses
};

Result<AdaptiveSession> AdaptiveSession::make(std::shared_ptr<const Model> model,
                                              const AdaptiveOptions& options) try {
  ASSIGN_OR_RETURN(Session session,
                   Session::make(model, {.threads = options.threads, .max_batch = options.batch}));
  ASSIGN_OR_RETURN(std::vector<control::SubnetProfile> sizes, control::subnet_profiles(model, options));
  auto impl = std::make_unique<Impl>(std::move(session), std::move(sizes), options.batch);
  if (options.supervise != std::chrono::milliseconds(0)) {
    const auto tell = [own = impl.get()](int subnet) { own->allow_from(own->supervisors_limit, subnet); };
    ASSIGN_OR_RETURN(impl->supervision, control::Supervision::start(*model, impl->sizes, options, tell));
  } else if (!options.plan.empty()) {
    return Error{fmt::format("the plan '{}' has no effect without supervise; set it to 200 ms, for example",
                             options.plan.string())};
  }
  return AdaptiveSession(std::move(impl));
} catch (const std::bad_alloc&) {
  return out_of_memory();
}

AdaptiveSession::AdaptiveSession(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

AdaptiveSession::AdaptiveSession(AdaptiveSession&&) noexcept = default;
AdaptiveSession& AdaptiveSession::operator=(AdaptiveSession&&) noexcept = default;
AdaptiveSession::~AdaptiveSession() = default;

Result<Answer> AdaptiveSession::run(std::span<const float> images, const Budget& budget,
                                    std::span<float> logits) try {
  Impl& own = *impl_;
  const SoleUse::Turn turn(own.use);
  if (!turn) return SoleUse::taken("session");
  const Time start = own.clock.now();
  RETURN_IF_ERROR(own.check_images(images.size()));
  RETURN_IF_ERROR(check_quantile(budget));
  if (!own.selected) RETURN_IF_ERROR(check_accuracy(budget, own.best_accuracy()));
  const Time deadline = start + std::clamp<Time>(budget.deadline, -kLongest, kLongest);
  const double quantile = budget.quantile;
  const control::Request request = {.now = start,
                                    .arrival = start,
                                    .deadline = deadline,
                                    .quantile = quantile,
                                    .min_accuracy = budget.min_accuracy};
  control::Decision decision = own.decide(request);
  if (decision.subnet == control::Decision::kShed)
    decision = own.controller.decide_on(own.fastest(budget.min_accuracy), request);
  const Time before = own.clock.now();
  RETURN_IF_ERROR(own.session.run(images, own.batch, decision.subnet, logits));
  const Time end = own.clock.now();
  own.controller.observe({.subnet = decision.subnet,
                          .arrival = start,
                          .started = before,
                          .took = end - before,
                          .deadline = deadline,
                          .quantile = quantile});
  own.slow_down.store(own.controller.slow_down().common(), std::memory_order_relaxed);
  if (own.supervision) own.supervision->slowed(own.slow_down.load(std::memory_order_relaxed));
  return Answer{.subnet = decision.subnet,
                .accuracy = own.accuracy(decision.subnet),
                .predicted_ms = to_ms(decision.predicted),
                .actual_ms = to_ms(end - start),
                .fits = decision.fits,
                .in_time = end <= deadline};
} catch (const std::bad_alloc&) {
  return out_of_memory();
}

Status AdaptiveSession::select(std::optional<int> subnet) try {
  const SoleUse::Turn turn(impl_->use);
  if (!turn) return SoleUse::taken("session");
  const int count = static_cast<int>(impl_->sizes.size());
  if (subnet && (*subnet < 0 || *subnet >= count)) {
    return Error{fmt::format("there is no sub-net number {}; the model has 0 to {}", *subnet, count - 1)};
  }
  impl_->selected = subnet;
  return {};
} catch (const std::bad_alloc&) {
  return out_of_memory();
}

void AdaptiveSession::allow_from(int subnet) {
  impl_->allow_from(impl_->users_limit, subnet);
}

MachineCondition AdaptiveSession::machine() const {
  return {.state = impl_->supervision ? impl_->supervision->state() : MachineState::normal,
          .slow_down = impl_->slow_down.load(std::memory_order_relaxed)};
}

const Model& AdaptiveSession::model() const {
  return impl_->session.model();
}

}  // namespace concertina
