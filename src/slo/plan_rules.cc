#include "concertina/plan_rules.h"

#include <new>
#include <vector>

#include "base/file.h"
#include "base/out_of_memory.h"
#include "base/try.h"
#include "slo/rule_table.h"

namespace concertina {

struct PlanRules::Impl {
  slo::RuleTable table;
  std::vector<PlanRule> rules;
};

Result<PlanRules> PlanRules::load(const std::filesystem::path& path, const Model& model,
                                  bool other_machine) try {
  ASSIGN_OR_RETURN(slo::RuleTable table, slo::RuleTable::read_for(path, model, other_machine));
  std::vector<PlanRule> rules;
  for (const slo::Rule& rule : table.rules) {
    const slo::Design& design = table.designs[rule.design];
    rules.push_back({.name = rule.name,
                     .machine = rule.machine,
                     .subnet = design.subnet,
                     .threads = design.threads,
                     .batch = design.batch,
                     .min_accuracy = rule.min_accuracy,
                     .feasible = rule.feasible,
                     .note = rule.note});
  }
  return PlanRules(std::make_unique<const Impl>(Impl{std::move(table), std::move(rules)}));
} catch (const std::bad_alloc&) {
  return out_of_memory();
}

PlanRules::PlanRules(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}

PlanRules::PlanRules(PlanRules&&) noexcept = default;
PlanRules& PlanRules::operator=(PlanRules&&) noexcept = default;
PlanRules::~PlanRules() = default;

std::span<const PlanRule> PlanRules::rules() const {
  return impl_->rules;
}

int PlanRules::find(MachineState state, double slow_down, int current) const {
  return impl_->table.rule(state, slow_down, current);
}

}  // namespace concertina
