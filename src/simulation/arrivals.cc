#include "simulation/arrivals.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "base/file.h"
#include "base/try.h"
#include "simulation/draws.h"
#include "simulation/parse_form.h"
#include "simulation/trace.h"

namespace concertina::simulation {
namespace {

constexpr std::uint64_t kArrivalStream = 0x6172726976616c73;  // "arrivals"

// The processes below make moments in units of the mean gap.

std::vector<double> moments(const PoissonArrivals&, int count, Draws& draws) {
  std::vector<double> arrivals;
  for (double at = 0; count > 0; --count) arrivals.push_back(at += draws.exponential());
  return arrivals;
}

std::vector<double> moments(const GammaArrivals& process, int count, Draws& draws) {
  const double shape = 1 / process.cv2;
  std::vector<double> arrivals;
  for (double at = 0; count > 0; --count) arrivals.push_back(at += draws.gamma(shape) / shape);
  return arrivals;
}

std::vector<double> moments(const BurstArrivals& process, int count, Draws& draws) {
  const double share = process.share;
  const double rates[] = {(1 - process.burst * share) / (1 - share), process.burst};
  const double lengths[] = {process.length * (1 - share) / share, process.length};
  int burst = draws.uniform() < share ? 1 : 0;
  double at = 0;
  double change = lengths[burst] * draws.exponential();
  std::vector<double> arrivals;
  while (static_cast<int>(arrivals.size()) < count) {
    const double gap = draws.exponential() / rates[burst];  // infinite at rate 0
    if (at + gap <= change) {
      arrivals.push_back(at += gap);
    } else {
      // The exponential has no memory: the gap begins anew in the new state.
      at = change;
      burst = 1 - burst;
      change += lengths[burst] * draws.exponential();
    }
  }
  return arrivals;
}

/// A Poisson process whose cumulative rate has this inverse: a function of a unit process's moments.
template <typename Inverse>
std::vector<double> time_changed(int count, Draws& draws, Inverse inverse) {
  std::vector<double> arrivals = moments(PoissonArrivals(), count, draws);
  for (double& at : arrivals) at = inverse(at);
  return arrivals;
}

std::vector<double> moments(const RampArrivals& ramp, int count, Draws& draws) {
  // The cumulative rate is from t + (to - from) t^2 / (2 end); at the end it is `count`.
  const double end = 2 * count / (ramp.from + ramp.to);
  return time_changed(count, draws, [&](double unit) {
    if (unit > count) return end + (unit - count) / ramp.to;
    const double root = std::sqrt(ramp.from * ramp.from + 2 * (ramp.to - ramp.from) * unit / end);
    return 2 * unit / (ramp.from + root);
  });
}

std::vector<double> moments(const StepArrivals& step, int count, Draws& draws) {
  const double half = count / (step.from + step.to);
  return time_changed(count, draws, [&](double unit) {
    const double before = half * step.from;
    return unit < before ? unit / step.from : half + (unit - before) / step.to;
  });
}

Result<std::vector<Time>> arrivals_of(const TraceArrivals& trace, int count, double rate, Draws&) {
  ASSIGN_OR_RETURN(const std::vector<Time> all, read_trace(trace.file));
  auto scaled = scale_to_rate(window(all, 0, static_cast<std::size_t>(count)), rate);
  if (!scaled) return in_file(trace.file, scaled.error());
  return scaled;
}

template <typename Process>
Result<std::vector<Time>> arrivals_of(const Process& process, int count, double rate, Draws& draws) {
  const std::vector<double> gaps = moments(process, count, draws);
  if (!(gaps.back() / rate <= kLongestTraceSeconds))
    return Error{fmt::format("{} requests at {} a second would last too long; raise the rate", count, rate)};
  std::vector<Time> arrivals;
  arrivals.reserve(gaps.size());
  for (const double at : gaps) arrivals.push_back(from_seconds(at / rate));
  return arrivals;
}

using Numbers = std::span<const double>;

std::vector<FormOf<ArrivalProcess>> synthetic_processes() {
  return {
      {{"poisson", {}}, [](Numbers) -> ArrivalProcess { return PoissonArrivals(); }},
      {{"gamma", {{"CV2", GammaArrivals().cv2, 0.01, 1000}}},
       [](Numbers n) -> ArrivalProcess { return GammaArrivals{n[0]}; }},
      {{"bursts",
        {{"BURST", BurstArrivals().burst, 1, 1000},
         {"SHARE", BurstArrivals().share, 0.001, 0.999},
         {"LENGTH", BurstArrivals().length, 0.01, 1e6}}},
       [](Numbers n) -> ArrivalProcess {
         return BurstArrivals{n[0], n[1], n[2]};
       }},
      {{"ramp", {{"FROM", RampArrivals().from, 0.01, 100}, {"TO", RampArrivals().to, 0.01, 100}}},
       [](Numbers n) -> ArrivalProcess {
         return RampArrivals{n[0], n[1]};
       }},
      {{"step", {{"FROM", StepArrivals().from, 0.01, 100}, {"TO", StepArrivals().to, 0.01, 100}}},
       [](Numbers n) -> ArrivalProcess {
         return StepArrivals{n[0], n[1]};
       }},
  };
}

}  // namespace

Result<ArrivalProcess> parse_arrivals(std::string_view text, const std::filesystem::path& traces) {
  std::vector<FormOf<ArrivalProcess>> all = synthetic_processes();
  for (const char* trace : {"azure_code", "azure_conv"})
    all.push_back({{trace, {}}, [](Numbers) -> ArrivalProcess { return TraceArrivals(); }});
  auto process = parse_as<ArrivalProcess>(text, all, "arrival process or file");
  std::error_code ignored;
  if (!process && std::filesystem::exists(text, ignored)) return ArrivalProcess(TraceArrivals{text});
  if (!process) return process;
  if (auto* trace = std::get_if<TraceArrivals>(&*process)) trace->file = traces / fmt::format("{}.txt", text);
  const auto* bursts = std::get_if<BurstArrivals>(&*process);
  if (bursts && bursts->burst * bursts->share > 1)
    return Error{fmt::format("'{}': BURST times SHARE is above 1, more than all requests", text)};
  return process;
}

Result<std::vector<Time>> make_arrivals(const ArrivalProcess& process, int count, double rate,
                                        std::uint64_t seed) {
  if (count < 1 || count > kMaxRequests)
    return Error{fmt::format("the number of requests must be from 1 to {}", kMaxRequests)};
  if (!(rate > 0 && rate <= std::numeric_limits<double>::max()))
    return Error{"the rate of arrivals must be a positive number of requests a second"};
  Draws draws{CounterRandom(seed, kArrivalStream)};
  return std::visit([&](const auto& one) { return arrivals_of(one, count, rate, draws); }, process);
}

}  // namespace concertina::simulation
