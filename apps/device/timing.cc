#include "device/timing.h"

#include <fmt/format.h>

#include <chrono>

#include "base/try.h"
#include "profile/busy_machine.h"
#include "profile/measure_subnets.h"

namespace concertina::apps {

namespace {

using Clock = std::chrono::steady_clock;

/// A session with a batch.
struct Runner {
  Session& session;
  int batch;
  std::vector<float> images;
  std::vector<float> logits;

  Runner(Session& to_run, int images_a_run)
      : session(to_run),
        batch(images_a_run),
        images(profile::some_inputs(session.model(), batch)),
        logits(static_cast<std::size_t>(batch) * session.model().output_size()) {}

  Status run(int subnet) { return session.run(images, batch, subnet, logits); }

  Result<double> time_ms(int subnet) {
    const auto start = Clock::now();
    RETURN_IF_ERROR(run(subnet));
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  }
};

}  // namespace

void warn_if_busy(int threads, Progress& progress) {
  const double taken = profile::taken_share(threads, std::chrono::milliseconds(300));
  if (taken <= profile::kMostTaken) return;
  progress.message(fmt::format(
      "warning: other programs take {:.0f} % of the processor's time; what is measured now will be of "
      "little use unless they end",
      100 * taken));
}

Status warm_up(Session& session, int subnet, const Timing& timing) {
  Runner runner(session, timing.batch);
  for (int i = 0; i < timing.warm_up; ++i) RETURN_IF_ERROR(runner.run(subnet));
  return {};
}

Result<std::vector<double>> time_runs(Session& session, int subnet, const Timing& timing) {
  RETURN_IF_ERROR(warm_up(session, subnet, timing));
  Runner runner(session, timing.batch);
  std::vector<double> times;
  const auto end = Clock::now() + std::chrono::duration<double>(timing.seconds);
  do {
    ASSIGN_OR_RETURN(const double ms, runner.time_ms(subnet));
    times.push_back(ms);
  } while (timing.seconds > 0 ? Clock::now() < end : static_cast<int>(times.size()) < timing.runs);
  return times;
}

Result<std::vector<double>> time_switches(Session& session, int subnet, int other, const Timing& timing) {
  RETURN_IF_ERROR(warm_up(session, subnet, timing));
  Runner runner(session, timing.batch);
  std::vector<double> times;
  for (int i = 0; i < timing.runs; ++i) {
    RETURN_IF_ERROR(runner.run(other));
    ASSIGN_OR_RETURN(const double ms, runner.time_ms(subnet));
    times.push_back(ms);
  }
  return times;
}

}  // namespace concertina::apps
