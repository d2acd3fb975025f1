#include "slo/rule_table.h"

#include <fmt/format.h>

#include <cmath>

#include "base/file.h"
#include "base/try.h"
#include "concertina/precision.h"
#include "profile/this_machine.h"

namespace concertina::slo {
namespace {

/// Which rules are asked in a machine state: those of `machine`.
using Key = std::optional<MachineState>;

bool has_rules(const std::vector<Rule>& rules, Key machine) {
  for (const Rule& rule : rules) {
    if (rule.machine == machine) return true;
  }
  return false;
}

Key resolve(const std::vector<Rule>& rules, MachineState state) {
  if (has_rules(rules, state)) return state;
  if (has_rules(rules, std::nullopt)) return std::nullopt;
  const int count = static_cast<int>(kMachineStates.size()), own = static_cast<int>(state);
  for (int worse = own + 1; worse < count; ++worse) {
    if (has_rules(rules, static_cast<MachineState>(worse))) return static_cast<MachineState>(worse);
  }
  for (int better = own - 1; better >= 0; --better) {
    if (has_rules(rules, static_cast<MachineState>(better))) return static_cast<MachineState>(better);
  }
  return std::nullopt;
}

}  // namespace

int RuleTable::rule(MachineState state, double slow_down, int current) const {
  const Key asked = resolve(rules, state);
  const int count = static_cast<int>(rules.size());
  const bool stays = current >= 0 && current < count && rules[current].machine == asked;
  int last = 0;
  for (int i = 0; i < count; ++i) {
    const Rule& one = rules[i];
    if (one.machine != asked) continue;
    last = i;
    if (slow_down < (stays && i < current ? one.back_below : one.up_to)) break;
  }
  return last;
}

Result<RuleTable> RuleTable::read_for(const std::filesystem::path& path, const Model& model,
                                      bool other_machine) {
  ASSIGN_OR_RETURN(RuleTable table, read(path));
  Status fits = table.check_model(model.subnets(), model.precision());
  if (fits && !other_machine) fits = table.check_machine();
  if (!fits) return in_file(path, fits.error());
  return table;
}

Status RuleTable::check_model(std::span<const SubnetInfo> model, Precision wanted) const {
  constexpr double kRounding = 1e-6;
  if (precision != wanted) {
    return Error{fmt::format("the plan is for {}, but the model is loaded in {}; run concertina plan",
                             name_of(precision), name_of(wanted))};
  }
  if (model.size() != subnets.size()) {
    return Error{
        fmt::format("the plan is for a model of {} sub-nets, but this one has {}; run concertina plan",
                    subnets.size(), model.size())};
  }
  for (std::size_t i = 0; i < model.size(); ++i) {
    if (model[i].subnet == subnets[i].subnet &&
        std::abs(model[i].validation_accuracy - subnets[i].accuracy) <= kRounding)
      continue;
    return Error{fmt::format(
        "the plan is for a model whose sub-net {} is {} with an accuracy of {:.4f}, but this one's is {} "
        "with {:.4f}; run concertina plan",
        i, to_string(subnets[i].subnet), subnets[i].accuracy, to_string(model[i].subnet),
        model[i].validation_accuracy)};
  }
  return {};
}

Status RuleTable::check_machine() const {
  return profile::check_this_machine(machine, "the plan is for latencies measured", "run concertina plan");
}

}  // namespace concertina::slo
