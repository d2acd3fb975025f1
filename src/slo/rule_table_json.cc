#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/reader.h"
#include "base/try.h"
#include "concertina/precision.h"
#include "slo/rule_table.h"

namespace concertina::slo {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxSubnets = 1'000'000;

Design read_design(const Reader& entry, std::size_t subnets) {
  constexpr Range kCount{1, 1e9};
  return {.subnet = entry["subnet"].whole({0, static_cast<double>(subnets) - 1}),
          .threads = entry["threads"].whole(kCount),
          .batch = entry["batch"].whole(kCount)};
}

Rule read_rule(const Reader& entry, std::size_t designs) {
  Rule rule{.name = entry["name"].text_or(""), .machine = {}};
  if (const Reader machine = entry["machine"]; machine && !machine.is_null())
    rule.machine = machine.one_of<MachineState>(kMachineStates);
  rule.design = entry["design"].whole({0, static_cast<double>(designs) - 1});
  rule.min_accuracy = entry["min_accuracy"].number({0, 1});
  rule.feasible = entry["feasible"].boolean();
  rule.note = entry["note"].text_or("");
  if (const Reader up_to = entry["up_to"]) {
    rule.up_to = up_to.number({1, Slo::kMaxSlowDown});
    rule.back_below = entry["back_below"].number({1, rule.up_to});
  }
  return rule;
}

/// The rules of one machine state stand together, end one after the other, and the last never does.
Status check_order(const std::vector<Rule>& rules) {
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const bool last = i + 1 == rules.size() || rules[i + 1].machine != rules[i].machine;
    const bool ordered = last ? std::isinf(rules[i].up_to) : rules[i].up_to < rules[i + 1].up_to;
    const bool apart = !last || std::none_of(rules.begin() + static_cast<std::ptrdiff_t>(i) + 1, rules.end(),
                                             [&](const Rule& r) { return r.machine == rules[i].machine; });
    if (ordered && apart) continue;
    return Error{fmt::format(
        "its rule {} is out of order: those of one machine state stand together, with ascending up_to, which "
        "only the last lacks",
        i)};
  }
  return {};
}

Json to_entry(const Rule& rule) {
  Json entry = {{"name", rule.name}};
  if (rule.machine) entry["machine"] = name_of(*rule.machine);
  if (std::isfinite(rule.up_to)) {
    entry["up_to"] = rule.up_to;
    entry["back_below"] = rule.back_below;
  }
  entry["design"] = rule.design;
  entry["min_accuracy"] = rule.min_accuracy;
  entry["feasible"] = rule.feasible;
  entry["note"] = rule.note;
  return entry;
}

}  // namespace

Result<RuleTable> RuleTable::parse(std::string_view text) {
  const Reader root = Reader::of_json(text);
  root.check_format("concertina_plan", 1, "plan", "concertina plan");
  const Reader machine = root["machine"];
  RuleTable table;
  if (!machine.is_table()) machine.must_be("an object");
  table.machine.cpu = machine["cpu"].text_or("");
  table.machine.instruction_set = machine["instruction_set"].text_or("");
  table.precision = root["precision"].one_of<Precision>(kPrecisions);
  for (const Reader& entry : root["subnets"].entries(1, kMaxSubnets))
    table.subnets.push_back({entry["widths"].subnet(), entry["accuracy"].number({0, 1})});
  for (const Reader& entry : root["designs"].entries(1, kMaxDesigns))
    table.designs.push_back(read_design(entry, table.subnets.size()));
  for (const Reader& entry : root["rules"].entries(1, Slo::kMaxStates))
    table.rules.push_back(read_rule(entry, table.designs.size()));
  RETURN_IF_ERROR(root.status());
  RETURN_IF_ERROR(check_order(table.rules));
  return table;
}

Result<RuleTable> RuleTable::read(const std::filesystem::path& path) {
  return read_as(path, parse);
}

std::string RuleTable::to_json() const {
  Json root = {{"concertina_plan", 1},
               {"machine", {{"cpu", machine.cpu}, {"instruction_set", machine.instruction_set}}},
               {"precision", name_of(precision)},
               {"subnets", Json::array()},
               {"designs", Json::array()},
               {"rules", Json::array()}};
  for (const PlannedSubnet& one : subnets)
    root["subnets"].push_back({{"widths", to_string(one.subnet)}, {"accuracy", one.accuracy}});
  for (const Design& one : designs)
    root["designs"].push_back({{"subnet", one.subnet}, {"threads", one.threads}, {"batch", one.batch}});
  for (const Rule& one : rules) root["rules"].push_back(to_entry(one));
  // A processor's name is the system's, and may be anything.
  return root.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace concertina::slo
