#include <fmt/format.h>

#include <set>

#include "base/try.h"
#include "latency/parts_from_json.h"

namespace concertina::latency {
namespace {

/// Nothing unless they are positive, finite and ascend.
std::optional<TimeQuantiles> read_quantiles(const Json& list) {
  std::array<double, TimeQuantiles::kLevels.size()> times;
  if (!list.is_array() || list.size() != times.size()) return std::nullopt;
  double least = 0;
  for (std::size_t i = 0; i < times.size(); ++i) {
    const auto time = positive_number(list[i]);
    if (!time || *time < least) return std::nullopt;
    times[i] = least = *time;
  }
  return TimeQuantiles(times);
}

/// A network of which nothing can be left out has a sub-net without widths.
Result<Subnet> read_widths(const Json& entry) {
  const std::string text = text_at(entry, "widths");
  if (text.empty() && entry.contains("widths") && entry["widths"].is_string()) return Subnet{};
  return parse_subnet(text);
}

Result<SubnetLatency> read_subnet(const Json& entry, std::size_t index) {
  if (!entry.is_object()) return Error{fmt::format("its sub-net {} is not an object", index)};
  auto subnet = read_widths(entry);
  if (!subnet) return Error{fmt::format("its sub-net {}: {}", index, subnet.error().message)};
  const auto batch = count_at(entry, "batch"), threads = count_at(entry, "threads"),
             runs = count_at(entry, "runs");
  if (batch < 1 || threads < 1 || runs < 1) {
    return Error{fmt::format("its sub-net {} lacks a positive batch, threads or runs", to_string(*subnet))};
  }
  const auto times = read_quantiles(member(entry, "milliseconds"));
  if (!times) {
    return Error{fmt::format("its sub-net {} lacks {} positive, ascending milliseconds", to_string(*subnet),
                             TimeQuantiles::kLevels.size())};
  }
  return SubnetLatency{.subnet = *std::move(subnet),
                       .batch = static_cast<int>(batch),
                       .threads = static_cast<int>(threads),
                       .runs = static_cast<int>(runs),
                       .times = *times};
}

}  // namespace

Status read_subnets(const Json& root, LatencyTable& table) {
  if (!root.contains("subnets")) return {};
  if (!root["subnets"].is_array()) return Error{"its subnets are not a list"};
  std::set<std::tuple<std::vector<int>, int, int>> seen;
  for (const Json& entry : root["subnets"]) {
    ASSIGN_OR_RETURN(SubnetLatency subnet, read_subnet(entry, table.subnets.size()));
    if (!seen.emplace(subnet.subnet.widths, subnet.batch, subnet.threads).second) {
      return Error{fmt::format("it has the sub-net {} twice with batch {} on {} threads",
                               to_string(subnet.subnet), subnet.batch, subnet.threads)};
    }
    table.subnets.push_back(std::move(subnet));
  }
  return {};
}

}  // namespace concertina::latency
