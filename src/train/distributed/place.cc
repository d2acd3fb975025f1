#include "train/distributed/place.h"

#include <fmt/format.h>

#include "base/text.h"
#include "base/try.h"

namespace concertina::train {
namespace {

/// Where a launcher should have set it.
Error missing(const char* name, const char* given) {
  return Error{fmt::format(
      "the environment has {} but no {}; set RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT, or none of them",
      given, name)};
}

/// A number from `low` to `high`.
Result<int> number(const Variables& variables, const char* name, int low, int high) {
  const std::string text = variables(name);
  const auto value = parse_number<int>(text);
  if (value && *value >= low && *value <= high) return *value;
  return Error{fmt::format("the environment variable {} is '{}'; it must be a number from {} to {}", name,
                           shown(text), low, high)};
}

Status read_address(const Variables& variables, Place& place) {
  for (const char* name : {"MASTER_ADDR", "MASTER_PORT"})
    if (variables(name) == nullptr) return missing(name, "WORLD_SIZE");
  place.address = variables("MASTER_ADDR");
  if (place.address.empty())
    return Error{
        "the environment variable MASTER_ADDR is empty; it must be the machine of the first process"};
  ASSIGN_OR_RETURN(place.port, number(variables, "MASTER_PORT", 1, 65535));
  return {};
}

}  // namespace

Result<Place> place_from(const Variables& variables) {
  constexpr int kMaxProcesses = 1 << 16;
  const bool ranked = variables("RANK") != nullptr, counted = variables("WORLD_SIZE") != nullptr;
  Place place;
  if (!ranked && !counted) return place;
  if (!ranked) return missing("RANK", "WORLD_SIZE");
  if (!counted) return missing("WORLD_SIZE", "RANK");
  ASSIGN_OR_RETURN(place.count, number(variables, "WORLD_SIZE", 1, kMaxProcesses));
  ASSIGN_OR_RETURN(place.rank, number(variables, "RANK", 0, place.count - 1));
  if (place.count == 1) return place;
  if (variables("LOCAL_WORLD_SIZE") != nullptr) {
    ASSIGN_OR_RETURN(place.local_count, number(variables, "LOCAL_WORLD_SIZE", 1, place.count));
  }
  if (variables("LOCAL_RANK") != nullptr) {
    ASSIGN_OR_RETURN(place.local_rank, number(variables, "LOCAL_RANK", 0, place.count - 1));
  }
  RETURN_IF_ERROR(read_address(variables, place));
  if (const char* name = variables("GLOO_SOCKET_IFNAME")) place.network_interface = name;
  const char* agent = variables("TORCHELASTIC_USE_AGENT_STORE");
  place.has_listener = agent != nullptr && std::string_view(agent) == "True";
  if (const char* restarts = variables("TORCHELASTIC_RESTART_COUNT"))
    place.prefix = fmt::format("concertina, restart {}", restarts);
  return place;
}

}  // namespace concertina::train
