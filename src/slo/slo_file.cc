#include "slo/slo_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "base/reader.h"
#include "base/text.h"
#include "base/try.h"

namespace concertina::slo {
namespace {

constexpr Range kAmount{1e-9, 1e18};

/// What a limit or a target of a metric may be.
Range range_of(Metric metric) {
  switch (metric) {
    case Metric::accuracy:
    case Metric::utilisation:
      return {1e-6, 1};
    case Metric::threads:
    case Metric::batch:
      return {1, 1e6};
    case Metric::latency:
    case Metric::throughput:
    case Metric::memory:
    case Metric::macs:
      break;
  }
  return kAmount;
}

Quantity read_quantity(const Reader& reader) {
  const Reader quantile = reader["quantile"];
  const Quantity quantity{reader["metric"].one_of<Metric>(kMetrics), quantile.number_or(0, {1e-6, 1 - 1e-6})};
  const bool is_latency = quantity.metric == Metric::latency;
  if (is_latency && !quantile) reader.fail("it needs a quantile of the latency, such as 0.99");
  if (!is_latency && quantile) reader.fail(fmt::format("{} has no quantile", name_of(quantity.metric)));
  return quantity;
}

Bound read_bound(const Reader& reader) {
  reader.allow_only({"metric", "quantile", "at_most", "at_least"});
  const Quantity of = read_quantity(reader);
  const bool least = more_is_better(of.metric);
  const char* const key = least ? "at_least" : "at_most";
  if (reader[least ? "at_most" : "at_least"])
    reader.fail(fmt::format("it bounds {} the wrong way round; it takes {}", name_of(of.metric), key));
  return {of, reader[key].number(range_of(of.metric))};
}

bool bounds_it(const std::vector<Bound>& bounds, const Quantity& quantity) {
  return std::any_of(bounds.begin(), bounds.end(), [&](const Bound& one) { return one.of == quantity; });
}

std::vector<Bound> read_bounds(const Reader& list) {
  std::vector<Bound> bounds;
  if (!list) return bounds;
  for (const Reader& reader : list.entries(0, Slo::kMaxBounds)) {
    bounds.push_back(read_bound(reader));
    if (const Quantity& of = bounds.back().of; bounds_it({bounds.begin(), bounds.end() - 1}, of))
      reader.fail(fmt::format("it bounds {} a second time", to_string(of)));
  }
  return bounds;
}

std::vector<Objective> read_objectives(const Reader& list) {
  std::vector<Objective> objectives;
  if (!list) return objectives;
  for (const Reader& reader : list.entries(0, Slo::kMaxObjectives)) {
    reader.allow_only({"metric", "quantile", "target", "weight"});
    Objective objective;
    objective.of = read_quantity(reader);
    if (const Reader target = reader["target"])
      objective.target = target.number(range_of(objective.of.metric));
    objective.weight = reader["weight"].number_or(1, {1e-6, 1e6});
    if (std::any_of(objectives.begin(), objectives.end(),
                    [&](const auto& o) { return o.of == objective.of; }))
      reader.fail(fmt::format("it aims at {} a second time", to_string(objective.of)));
    objectives.push_back(objective);
  }
  return objectives;
}

/// The state's own bounds replace the general ones of the same quantities. As many cores as there are bound
/// the threads.
std::vector<Bound> merge_bounds(const std::vector<Bound>& general, std::vector<Bound> own,
                                std::optional<int> cores) {
  for (const Bound& bound : general) {
    if (!bounds_it(own, bound.of)) own.push_back(bound);
  }
  if (!cores) return own;
  const Quantity threads{Metric::threads};
  if (!bounds_it(own, threads)) own.push_back({threads, static_cast<double>(*cores)});
  for (Bound& bound : own) {
    if (bound.of == threads) bound.limit = std::min(bound.limit, static_cast<double>(*cores));
  }
  return own;
}

/// A name that errors and reports may show as it is.
std::string read_name(const Reader& reader) {
  constexpr std::size_t kLongest = 64;
  std::string name = reader.text();
  if (name.empty() || name.size() > kLongest || name != shown(name))
    reader.must_be(fmt::format("text of 1 to {} bytes without control characters", kLongest));
  return name;
}

AnticipatedState read_state(const Reader& reader, const std::vector<Bound>& general) {
  reader.allow_only({"name", "machine", "slow_down", "cores", "arrivals", "hard"});
  AnticipatedState state;
  if (const Reader machine = reader["machine"]) {
    state.machine = machine.one_of<MachineState>(kMachineStates);
    state.name = name_of(*state.machine);
  }
  if (const Reader name = reader["name"]) {
    state.name = read_name(name);
  } else if (!state.machine) {
    reader.fail("it needs a machine, a name, or both");
  }
  state.slow_down = reader["slow_down"].number_or(1, {1, Slo::kMaxSlowDown});
  state.arrivals = reader["arrivals"].number_or(0, kAmount);
  std::optional<int> cores;
  if (const Reader given = reader["cores"]) cores = given.whole({1, 1e6});
  state.bounds = merge_bounds(general, read_bounds(reader["hard"]), cores);
  return state;
}

/// At run time the machine's state and the slow-down decide.
void check_apart(const Reader& reader, const AnticipatedState& a, const AnticipatedState& b) {
  if (a.name == b.name)
    return reader.fail(fmt::format("two states have the name '{}'; name one otherwise", a.name));
  if (a.machine != b.machine || a.slow_down != b.slow_down) return;
  reader.fail(fmt::format(
      "the states '{}' and '{}' are of the same machine and slow_down, so nothing tells them apart at run "
      "time; merge them, or give one another slow_down",
      a.name, b.name));
}

std::vector<AnticipatedState> read_states(const Reader& list, const std::vector<Bound>& general) {
  std::vector<AnticipatedState> states;
  for (const Reader& reader : list.entries(1, Slo::kMaxStates)) {
    AnticipatedState state = read_state(reader, general);
    for (const AnticipatedState& other : states) check_apart(reader, other, state);
    states.push_back(std::move(state));
  }
  return states;
}

}  // namespace

Result<Slo> Slo::parse(std::string_view text, std::string_view source) {
  const Reader root = Reader::of_toml(text, source);
  root.allow_only({"switch_margin", "hard", "soft", "state"});
  Slo slo;
  slo.switch_margin = root["switch_margin"].number_or(slo.switch_margin, {0.01, 1});
  const std::vector<Bound> general = read_bounds(root["hard"]);
  slo.soft = read_objectives(root["soft"]);
  if (!root["state"])
    root.fail("it anticipates no state; write at least one, such as [[state]] machine = \"normal\"");
  slo.states = read_states(root["state"], general);
  const bool says_something =
      !slo.soft.empty() ||
      std::any_of(slo.states.begin(), slo.states.end(), [](const auto& s) { return !s.bounds.empty(); });
  if (!says_something) root.fail("it neither bounds nor aims at anything; write a [[hard]] or a [[soft]]");
  RETURN_IF_ERROR(root.status());
  return slo;
}

Result<Slo> Slo::read(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(const std::string text, read_file(path));
  return parse(text, path.string());
}

}  // namespace concertina::slo
