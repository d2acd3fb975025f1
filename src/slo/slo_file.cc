#include "slo/slo_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "base/toml_reader.h"
#include "base/try.h"

namespace concertina::slo {
namespace {

constexpr Range kPositive{1e-9, 1e18};

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
  return kPositive;
}

Quantity read_quantity(TomlReader& reader) {
  const auto metric = reader.one_of("metric", kMetrics);
  const auto quantile = reader.number("quantile", {1e-6, 1 - 1e-6});
  if (!metric) {
    reader.fail("it needs a metric");
    return {};
  }
  const Quantity quantity{static_cast<Metric>(*metric), quantile.value_or(0)};
  const bool is_latency = quantity.metric == Metric::latency;
  if (is_latency && !quantile) reader.fail("it needs a quantile of the latency, such as 0.99");
  if (!is_latency && quantile) reader.fail(fmt::format("{} has no quantile", name_of(quantity.metric)));
  return quantity;
}

Result<Bound> read_bound(const toml::node& node, std::string_view place) {
  static const std::vector<std::string> keys = {"metric", "quantile", "at_most", "at_least"};
  TomlReader reader(node, place);
  reader.allow_only(keys);
  const Quantity of = read_quantity(reader);
  const bool least = more_is_better(of.metric);
  const char* const key = least ? "at_least" : "at_most";
  if (reader.has(least ? "at_most" : "at_least"))
    reader.fail(fmt::format("it bounds {} the wrong way round; it takes {}", name_of(of.metric), key));
  const auto limit = reader.number(key, range_of(of.metric));
  if (!limit) reader.fail(fmt::format("it needs {}", key));
  RETURN_IF_ERROR(reader.status());
  return Bound{of, *limit};
}

bool bounds_it(const std::vector<Bound>& bounds, const Quantity& quantity) {
  return std::any_of(bounds.begin(), bounds.end(), [&](const Bound& one) { return one.of == quantity; });
}

Result<std::vector<Bound>> read_bounds(TomlReader& reader, std::string_view place) {
  std::vector<Bound> bounds;
  const toml::array* list = reader.tables("hard", Slo::kMaxBounds);
  RETURN_IF_ERROR(reader.status());
  if (list == nullptr) return bounds;
  for (const toml::node& node : *list) {
    ASSIGN_OR_RETURN(const Bound bound, read_bound(node, place));
    if (bounds_it(bounds, bound.of)) {
      return Error{fmt::format("line {}: {}: it bounds {} a second time", node.source().begin.line, place,
                               to_string(bound.of))};
    }
    bounds.push_back(bound);
  }
  return bounds;
}

Result<Objective> read_objective(const toml::node& node) {
  static const std::vector<std::string> keys = {"metric", "quantile", "target", "weight"};
  TomlReader reader(node, "[[soft]]");
  reader.allow_only(keys);
  Objective objective;
  objective.of = read_quantity(reader);
  objective.target = reader.number("target", range_of(objective.of.metric));
  objective.weight = reader.number("weight", {1e-6, 1e6}).value_or(1);
  RETURN_IF_ERROR(reader.status());
  return objective;
}

Result<std::vector<Objective>> read_objectives(TomlReader& reader) {
  std::vector<Objective> objectives;
  const toml::array* list = reader.tables("soft", Slo::kMaxObjectives);
  RETURN_IF_ERROR(reader.status());
  if (list == nullptr) return objectives;
  for (const toml::node& node : *list) {
    ASSIGN_OR_RETURN(const Objective objective, read_objective(node));
    for (const Objective& other : objectives) {
      if (other.of != objective.of) continue;
      return Error{fmt::format("line {}: [[soft]]: it aims at {} a second time", node.source().begin.line,
                               to_string(objective.of))};
    }
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

Result<AnticipatedState> read_state(const toml::node& node, const std::vector<Bound>& general) {
  static const std::vector<std::string> keys = {"name", "machine", "slow_down", "cores", "arrivals", "hard"};
  TomlReader reader(node, "[[state]]");
  reader.allow_only(keys);
  AnticipatedState state;
  const auto name = reader.text("name");
  if (const auto machine = reader.one_of("machine", supervisor::kMachineStates))
    state.machine = static_cast<supervisor::MachineState>(*machine);
  if (!name && !state.machine) reader.fail("it needs a machine, a name, or both");
  state.slow_down = reader.number("slow_down", {1, Slo::kMaxSlowDown}).value_or(1);
  state.arrivals = reader.number("arrivals", kPositive).value_or(0);
  const auto cores = reader.whole_number("cores", {1, 1e6});
  RETURN_IF_ERROR(reader.status());
  ASSIGN_OR_RETURN(std::vector<Bound> own, read_bounds(reader, "[[state.hard]]"));
  state.name = name ? *name : std::string(name_of(*state.machine));
  state.bounds = merge_bounds(general, std::move(own), cores);
  return state;
}

/// At run time the machine's state and the slow-down decide.
Status check_apart(const AnticipatedState& a, const AnticipatedState& b) {
  if (a.name == b.name)
    return Error{fmt::format("two states have the name '{}'; name one otherwise", a.name)};
  if (a.machine != b.machine || a.slow_down != b.slow_down) return {};
  return Error{fmt::format(
      "the states '{}' and '{}' are of the same machine and slow_down, so nothing tells them apart at run "
      "time; merge them, or give one another slow_down",
      a.name, b.name)};
}

Result<std::vector<AnticipatedState>> read_states(TomlReader& reader, const std::vector<Bound>& general) {
  const toml::array* list = reader.tables("state", Slo::kMaxStates);
  RETURN_IF_ERROR(reader.status());
  if (list == nullptr || list->empty()) {
    return Error{"it anticipates no state; write at least one, such as [[state]] machine = \"normal\""};
  }
  std::vector<AnticipatedState> states;
  for (const toml::node& node : *list) {
    ASSIGN_OR_RETURN(AnticipatedState state, read_state(node, general));
    for (const AnticipatedState& other : states) {
      const Status apart = check_apart(other, state);
      if (!apart) return Error{fmt::format("line {}: {}", node.source().begin.line, apart.error().message)};
    }
    states.push_back(std::move(state));
  }
  return states;
}

Result<Slo> read_slo(const toml::table& root) {
  static const std::vector<std::string> keys = {"switch_margin", "hard", "soft", "state"};
  TomlReader reader(root, "");
  reader.allow_only(keys);
  Slo slo;
  slo.switch_margin = reader.number("switch_margin", {0.01, 1}).value_or(slo.switch_margin);
  RETURN_IF_ERROR(reader.status());
  ASSIGN_OR_RETURN(const std::vector<Bound> general, read_bounds(reader, "[[hard]]"));
  ASSIGN_OR_RETURN(slo.soft, read_objectives(reader));
  ASSIGN_OR_RETURN(slo.states, read_states(reader, general));
  const bool says_something =
      !slo.soft.empty() ||
      std::any_of(slo.states.begin(), slo.states.end(), [](const auto& s) { return !s.bounds.empty(); });
  if (!says_something) return Error{"it neither bounds nor aims at anything; write a [[hard]] or a [[soft]]"};
  return slo;
}

/// TOML's reader destroys nested tables by recursion, and each dot may open one.
Status check_size(std::string_view text, std::string_view source) {
  constexpr std::ptrdiff_t kMaxDots = 4096;
  if (text.size() > Slo::kMaxBytes)
    return Error{fmt::format("{}: it is larger than the {} bytes that are read", source, Slo::kMaxBytes)};
  if (std::count(text.begin(), text.end(), '.') > kMaxDots)
    return Error{fmt::format("{}: it has more than {} dots; make it shorter", source, kMaxDots)};
  return {};
}

}  // namespace

Result<Slo> Slo::parse(std::string_view text, std::string_view source) {
  RETURN_IF_ERROR(check_size(text, source));
  try {
    auto slo = read_slo(toml::parse(text));
    if (!slo) return Error{fmt::format("{}: {}", source, slo.error().message)};
    return slo;
  } catch (const toml::parse_error& e) {
    return Error{fmt::format("{}: line {}: {}; correct it and run again", source, e.source().begin.line,
                             shown(e.description()))};
  }
}

Result<Slo> Slo::read(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(const std::string text, read_file(path));
  return parse(text, path.string());
}

}  // namespace concertina::slo
