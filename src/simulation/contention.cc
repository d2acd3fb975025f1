#include "simulation/contention.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "simulation/draws.h"
#include "simulation/parse_form.h"
#include "simulation/trace.h"

namespace concertina::simulation {
namespace {

constexpr std::uint64_t kContentionStream = 0x636f6e74656e74;  // "content"

Result<Contention> changes_of(const NoContention&, Time, Draws&) {
  return Contention();
}

Result<Contention> changes_of(const StepContention& step, Time span, Draws&) {
  const auto share = [&](double of) { return from_seconds(to_seconds(span) * of); };
  std::vector<Contention::Change> changes = {{share(step.from), step.factor}};
  if (step.until < 1) changes.push_back({share(step.until), 1});
  return Contention(std::move(changes));
}

Result<Contention> changes_of(const TwoStateContention& model, Time span, Draws& draws) {
  const double seconds[] = {model.quiet_seconds, model.slow_seconds};
  const double factors[] = {1, model.factor};
  if (to_seconds(span) / (seconds[0] + seconds[1]) > kMaxRequests / 2)
    return Error{fmt::format("the machine would turn slow and back too often; lengthen the turns")};
  int slow = draws.uniform() * (seconds[0] + seconds[1]) < seconds[1] ? 1 : 0;
  std::vector<Contention::Change> changes;
  for (Time at{0}; at <= span; slow = 1 - slow) {
    changes.push_back({at, factors[slow]});
    at += from_seconds(seconds[slow] * draws.exponential());
  }
  return Contention(std::move(changes));
}

using Numbers = std::span<const double>;

std::vector<FormOf<ContentionModel>> models() {
  constexpr double kFactor = StepContention().factor, kMost = 1000, kShortest = 1e-3, kLongest = 1e6;
  return {
      {{"none", {}}, [](Numbers) -> ContentionModel { return NoContention(); }},
      {{"step",
        {{"FACTOR", kFactor, 1, kMost},
         {"FROM", StepContention().from, 0, 1},
         {"UNTIL", StepContention().until, 0, 1}}},
       [](Numbers n) -> ContentionModel {
         return StepContention{n[0], n[1], n[2]};
       }},
      {{"two-state",
        {{"FACTOR", kFactor, 1, kMost},
         {"SLOW_SECONDS", TwoStateContention().slow_seconds, kShortest, kLongest},
         {"QUIET_SECONDS", TwoStateContention().quiet_seconds, kShortest, kLongest}}},
       [](Numbers n) -> ContentionModel {
         return TwoStateContention{n[0], n[1], n[2]};
       }},
  };
}

}  // namespace

std::size_t Contention::changes_until(Time at) const {
  const auto after = std::upper_bound(changes_.begin(), changes_.end(), at,
                                      [](Time time, const Change& change) { return time < change.at; });
  return static_cast<std::size_t>(after - changes_.begin());
}

double Contention::factor(Time at) const {
  const std::size_t past = changes_until(at);
  return past == 0 ? 1 : changes_[past - 1].factor;
}

Time Contention::finish(Time start, Time work) const {
  std::size_t next = changes_until(start);
  double factor = next == 0 ? 1 : changes_[next - 1].factor;
  double left = static_cast<double>(work.count());
  for (; next < changes_.size(); ++next) {
    const double done = static_cast<double>((changes_[next].at - start).count()) / factor;
    if (left <= done) break;
    left -= done;
    start = changes_[next].at;
    factor = changes_[next].factor;
  }
  return start + Time(std::llround(left * factor));
}

Result<ContentionModel> parse_contention(std::string_view text) {
  auto model = parse_as<ContentionModel>(text, models(), "contention");
  const auto* step = model ? std::get_if<StepContention>(&*model) : nullptr;
  if (step && step->until < step->from)
    return Error{fmt::format("'{}': UNTIL must not be before FROM", text)};
  return model;
}

Result<Contention> make_contention(const ContentionModel& model, Time span, std::uint64_t seed) {
  Draws draws{CounterRandom(seed, kContentionStream)};
  return std::visit([&](const auto& one) { return changes_of(one, span, draws); }, model);
}

}  // namespace concertina::simulation
