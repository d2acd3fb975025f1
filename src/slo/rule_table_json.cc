#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/json_tree.h"
#include "base/try.h"
#include "slo/rule_table.h"

namespace concertina::slo {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxSubnets = 1'000'000;

std::string text_at(const Json& object, const char* key) {
  return object.contains(key) && object[key].is_string() ? object[key].get<std::string>() : std::string();
}

/// Nothing if there is no such number, or it is out of its range.
std::optional<double> number_at(const Json& object, const char* key, double low, double high) {
  if (!object.contains(key) || !object[key].is_number()) return std::nullopt;
  const auto number = object[key].get<double>();
  return number >= low && number <= high ? std::optional(number) : std::nullopt;
}

std::optional<int> count_at(const Json& object, const char* key, int low, int high) {
  if (!object.contains(key) || !object[key].is_number_integer()) return std::nullopt;
  const auto number = number_at(object, key, low, high);
  return number ? std::optional(static_cast<int>(*number)) : std::nullopt;
}

/// Fills `items` with read(entry) of each object of a list that has 1 .. most of them.
template <typename Item, typename Read>
Status read_list(const Json& root, const char* key, std::size_t most, std::vector<Item>& items, Read read) {
  if (!root.contains(key) || !root[key].is_array() || root[key].empty() || root[key].size() > most)
    return Error{fmt::format("its {} are not a list of 1 to {}", key, most)};
  for (const Json& entry : root[key]) {
    Result<Item> item = entry.is_object() ? read(entry) : Error{"it is not an object"};
    if (!item) return Error{fmt::format("its {}, number {}: {}", key, items.size(), item.error().message)};
    items.push_back(*std::move(item));
  }
  return {};
}

Result<PlannedSubnet> read_subnet(const Json& entry) {
  ASSIGN_OR_RETURN(Subnet subnet, parse_subnet(text_at(entry, "widths")));
  const auto accuracy = number_at(entry, "accuracy", 0, 1);
  if (!accuracy) return Error{"it lacks an accuracy from 0 to 1"};
  return PlannedSubnet{std::move(subnet), *accuracy};
}

Result<Design> read_design(const Json& entry, std::size_t subnets) {
  constexpr int kMost = 1'000'000'000;
  const auto subnet = count_at(entry, "subnet", 0, static_cast<int>(subnets) - 1);
  const auto threads = count_at(entry, "threads", 1, kMost), batch = count_at(entry, "batch", 1, kMost);
  if (!subnet || !threads || !batch)
    return Error{"it lacks a sub-net of the model, or a positive threads or batch"};
  return Design{*subnet, *threads, *batch};
}

Status read_machine(const Json& entry, Rule& rule) {
  if (!entry.contains("machine") || entry["machine"].is_null()) return {};
  const std::string name = text_at(entry, "machine");
  const auto found = std::find(supervisor::kMachineStates.begin(), supervisor::kMachineStates.end(), name);
  if (found == supervisor::kMachineStates.end())
    return Error{"its machine is not a state that this version knows"};
  rule.machine = static_cast<supervisor::MachineState>(found - supervisor::kMachineStates.begin());
  return {};
}

Result<Rule> read_rule(const Json& entry, std::size_t designs) {
  Rule rule{.name = text_at(entry, "name"), .machine = {}, .note = text_at(entry, "note")};
  RETURN_IF_ERROR(read_machine(entry, rule));
  const auto design = count_at(entry, "design", 0, static_cast<int>(designs) - 1);
  const auto min_accuracy = number_at(entry, "min_accuracy", 0, 1);
  if (!design || !min_accuracy || !entry.contains("feasible") || !entry["feasible"].is_boolean())
    return Error{"it lacks a design of the table, a min_accuracy from 0 to 1, or whether it is feasible"};
  rule.design = *design;
  rule.min_accuracy = *min_accuracy;
  rule.feasible = entry["feasible"].get<bool>();
  if (!entry.contains("up_to")) return rule;
  const auto up_to = number_at(entry, "up_to", 1, Slo::kMaxSlowDown);
  const auto back_below = number_at(entry, "back_below", 1, up_to.value_or(1));
  if (!up_to || !back_below) return Error{"it lacks an up_to from 1, and a back_below from 1 to that"};
  rule.up_to = *up_to;
  rule.back_below = *back_below;
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

/// What comes before the lists.
Status read_head(const Json& root, RuleTable& table) {
  if (!root.is_object() || !root.contains("concertina_plan"))
    return Error{"it is not a plan; make one with concertina plan"};
  if (root["concertina_plan"] != 1) return Error{"the plan has a format that this version does not read"};
  static const Json kNone;
  const auto found = root.find("machine");  // not value(): its copy would ask for memory when it goes
  const Json& machine = found == root.end() ? kNone : *found;
  if (!machine.is_object()) return Error{"its machine is not an object"};
  table.machine.cpu = text_at(machine, "cpu");
  table.machine.instruction_set = text_at(machine, "instruction_set");
  table.precision = text_at(root, "precision");
  if (table.precision != "fp32" && table.precision != "bf16")
    return Error{"its precision is neither fp32 nor bf16"};
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
  const JsonTree tree(Json::parse(text, nullptr, false));
  const Json& root = *tree;
  RuleTable table;
  RETURN_IF_ERROR(read_head(root, table));
  RETURN_IF_ERROR(read_list(root, "subnets", kMaxSubnets, table.subnets, read_subnet));
  RETURN_IF_ERROR(read_list(root, "designs", kMaxDesigns, table.designs,
                            [&](const Json& entry) { return read_design(entry, table.subnets.size()); }));
  RETURN_IF_ERROR(read_list(root, "rules", Slo::kMaxStates, table.rules,
                            [&](const Json& entry) { return read_rule(entry, table.designs.size()); }));
  RETURN_IF_ERROR(check_order(table.rules));
  return table;
}

Result<RuleTable> RuleTable::read(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(const std::string text, read_file(path));
  auto table = parse(text);
  if (!table) return Error{fmt::format("'{}': {}", path.string(), table.error().message)};
  return table;
}

std::string RuleTable::to_json() const {
  Json root = {{"concertina_plan", 1},
               {"machine", {{"cpu", machine.cpu}, {"instruction_set", machine.instruction_set}}},
               {"precision", precision},
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
