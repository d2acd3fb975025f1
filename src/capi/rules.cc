#include <fmt/format.h>

#include "base/try.h"
#include "capi/handles.h"
#include "capi/outcome.h"
#include "capi/structs.h"

namespace concertina::capi {
namespace {

Result<MachineState> state_of(int32_t value) {
  if (value >= 0 && static_cast<std::size_t>(value) < kMachineStates.size()) {
    return static_cast<MachineState>(value);
  }
  return Error{fmt::format("there is no machine state number {}; use a concertina_machine_state", value)};
}

concertina_rule describe(const PlanRule& rule) {
  return {.struct_size = 0,
          .name = rule.name.c_str(),
          .machine = rule.machine ? static_cast<int32_t>(*rule.machine) : CONCERTINA_ANY_STATE,
          .subnet = rule.subnet,
          .threads = rule.threads,
          .batch = rule.batch,
          .min_accuracy = rule.min_accuracy,
          .note = rule.note.c_str(),
          .feasible = rule.feasible,
          .reserved = 0};
}

}  // namespace
}  // namespace concertina::capi

using namespace concertina::capi;

extern "C" {

concertina_status concertina_rules_load(const char* path, const concertina_model* model,
                                        const concertina_rules_options* options, concertina_rules** rules,
                                        concertina_error* error) {
  return guarded(error, [&]() -> Outcome {
    RETURN_IF_ERROR(not_null({{"path", path}, {"model", model}, {"rules", rules}}));
    concertina_rules_options wanted;
    RETURN_IF_ERROR(read_struct("options", options, wanted));
    ASSIGN_OR_RETURN(auto loaded,
                     concertina::PlanRules::load(path, *model->model, wanted.other_machine != 0));
    *rules = new concertina_rules{std::move(loaded)};
    return {};
  });
}

void concertina_rules_free(concertina_rules* rules) {
  delete rules;
}

int32_t concertina_rules_count(const concertina_rules* rules) {
  return rules == nullptr ? 0 : static_cast<int32_t>(rules->rules.rules().size());
}

concertina_status concertina_rules_rule(const concertina_rules* rules, int32_t rule, concertina_rule* info,
                                        concertina_error* error) {
  return guarded(error, [&]() -> Outcome {
    RETURN_IF_ERROR(not_null({{"rules", rules}, {"info", info}}));
    RETURN_IF_ERROR(check_size("info", *info));
    RETURN_IF_ERROR(in_range("rule", rule, rules->rules.rules().size(), "plan"));
    write_struct(describe(rules->rules.rules()[rule]), info);
    return {};
  });
}

concertina_status concertina_rules_find(const concertina_rules* rules, int32_t state, double slow_down,
                                        int32_t current, int32_t* rule, concertina_error* error) {
  return guarded(error, [&]() -> Outcome {
    RETURN_IF_ERROR(not_null({{"rules", rules}, {"rule", rule}}));
    ASSIGN_OR_RETURN(const concertina::MachineState asked, state_of(state));
    *rule = rules->rules.find(asked, slow_down, current);
    return {};
  });
}

}  // extern "C"
