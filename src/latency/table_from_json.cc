#include <fmt/format.h>

#include "base/file.h"
#include "base/json_tree.h"
#include "base/try.h"
#include "latency/parts_from_json.h"

namespace concertina::latency {
namespace {

/// Older tables have a sentence for a machine.
MeasuredMachine read_machine(const Json& root) {
  const Json& machine = member(root, "machine");
  if (!machine.is_object()) return {.cpu = text_at(root, "machine"), .instruction_set = {}, .governor = {}};
  return {.cpu = text_at(machine, "cpu"),
          .instruction_set = text_at(machine, "instruction_set"),
          .cores = static_cast<int>(count_at(machine, "cores")),
          .governor = text_at(machine, "governor")};
}

}  // namespace

Result<LatencyTable> LatencyTable::parse(std::string_view text) {
  const JsonTree tree(Json::parse(text, nullptr, false));
  const Json& root = *tree;
  if (!root.is_object() || !root.contains("concertina_latency"))
    return Error{"it is not a latency table; make one with concertina profile"};
  if (root["concertina_latency"] != 1)
    return Error{"the latency table has a format that this version does not read"};
  LatencyTable table;
  table.machine = read_machine(root);
  if (root.contains("precision")) table.precision = text_at(root, "precision");
  if (table.precision != "fp32" && table.precision != "bf16")
    return Error{"its precision is neither fp32 nor bf16"};
  RETURN_IF_ERROR(read_subnets(root, table));
  RETURN_IF_ERROR(read_layers(root, table));
  RETURN_IF_ERROR(read_prediction(root, table));
  return table;
}

Result<LatencyTable> LatencyTable::read(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(const std::string text, read_file(path));
  auto table = parse(text);
  if (!table) return Error{fmt::format("'{}': {}", path.string(), table.error().message)};
  return table;
}

}  // namespace concertina::latency
