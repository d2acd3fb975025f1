#include "simulation/server.h"

#include <thread>

#include "base/try.h"

namespace concertina::simulation {
namespace {

/// The system wakes a thread about this much later than it was asked to; the rest is waited for awake.
constexpr Time kWakeUp = std::chrono::microseconds(100);

/// How many of the waiting requests a policy is told of.
constexpr std::size_t kMaxWaiting = 64;

class Serving {
 public:
  Serving(std::span<const Time> arrivals, const ServeOptions& options, control::Policy& policy,
          Server& server)
      : arrivals_(arrivals),
        options_(options),
        policy_(policy),
        server_(server),
        start_(server.clock().now()) {}

  Result<Outcome> answer(std::size_t request) {
    const Time arrival = start_ + arrivals_[request];
    server_.wait_until(arrival);
    Outcome outcome{.arrival = arrivals_[request], .deadline = arrivals_[request] + options_.deadline};
    const Time now = server_.clock().now();
    const Time deadline = arrival + options_.deadline;
    const control::Decision decision = now < deadline ? policy_.decide({.now = now,
                                                                        .arrival = arrival,
                                                                        .deadline = deadline,
                                                                        .quantile = options_.quantile,
                                                                        .min_accuracy = options_.min_accuracy,
                                                                        .waiting = waiting(request, now)})
                                                      : control::Decision();
    outcome.start = outcome.end = now - start_;
    outcome.subnet = decision.subnet;
    if (decision.subnet == control::Decision::kShed) return outcome;
    const Time before = server_.clock().now();
    RETURN_IF_ERROR(server_.run(decision.subnet, request));
    const Time after = server_.clock().now();
    policy_.observe({.subnet = decision.subnet,
                     .arrival = arrival,
                     .started = before,
                     .took = after - before,
                     .deadline = deadline,
                     .quantile = options_.quantile});
    outcome.end = after - start_;
    return outcome;
  }

 private:
  /// Deadlines of the requests that have arrived after this one.
  std::span<const Time> waiting(std::size_t request, Time now) {
    std::size_t count = 0;
    for (std::size_t i = request + 1; i < arrivals_.size() && count < kMaxWaiting; ++i) {
      if (start_ + arrivals_[i] > now) break;
      waiting_[count++] = start_ + arrivals_[i] + options_.deadline;
    }
    return std::span(waiting_).first(count);
  }

  std::span<const Time> arrivals_;
  const ServeOptions& options_;
  control::Policy& policy_;
  Server& server_;
  Time start_;
  std::array<Time, kMaxWaiting> waiting_ = {};
};

}  // namespace

Time SimulatedServer::end_of(int subnet, std::size_t request, Time start) const {
  const latency::TimeQuantiles& times = sizes_[subnet].times;
  return contention_.finish(start, from_ms(times.at(random_.uniform(request))));
}

Status SimulatedServer::run(int subnet, std::size_t request) {
  clock_.set(end_of(subnet, request, clock_.now()));
  return {};
}

ModelServer::ModelServer(Session session, int batch, std::vector<float> images)
    : session_(std::move(session)),
      batch_(batch),
      images_(std::move(images)),
      logits_(static_cast<std::size_t>(batch) * session_.model().output_size()) {}

void ModelServer::wait_until(Time time) {
  const Time left = time - clock_.now();
  if (left > 2 * kWakeUp) std::this_thread::sleep_for(left - kWakeUp);
  while (clock_.now() < time) {
  }
}

Status ModelServer::run(int subnet, std::size_t request) {
  const std::size_t size = static_cast<std::size_t>(batch_) * session_.model().input_size();
  const std::size_t batches = images_.size() / size;
  return session_.run(std::span(images_).subspan(request % batches * size, size), batch_, subnet, logits_);
}

Result<std::vector<Outcome>> serve(std::span<const Time> arrivals, const ServeOptions& options,
                                   control::Policy& policy, Server& server) {
  Serving serving(arrivals, options, policy, server);
  std::vector<Outcome> outcomes;
  outcomes.reserve(arrivals.size());
  for (std::size_t i = 0; i < arrivals.size(); ++i) {
    ASSIGN_OR_RETURN(const Outcome outcome, serving.answer(i));
    outcomes.push_back(outcome);
  }
  return outcomes;
}

}  // namespace concertina::simulation
