#include "latency/json_fields.h"

#include <cmath>

namespace concertina::latency {

const Json& member(const Json& object, const char* key) {
  static const Json kNone;
  const auto found = object.find(key);
  return found == object.end() ? kNone : *found;
}

std::optional<double> positive_number(const Json& number) {
  if (!number.is_number()) return std::nullopt;
  const auto value = number.get<double>();
  return std::isfinite(value) && value > 0 ? std::optional(value) : std::nullopt;
}

std::int64_t count_at(const Json& object, const char* key, std::int64_t most) {
  if (!object.contains(key) || !object[key].is_number_unsigned()) return 0;
  const auto number = object[key].get<std::uint64_t>();
  return number > static_cast<std::uint64_t>(most) ? 0 : static_cast<std::int64_t>(number);
}

std::string text_at(const Json& object, const char* key) {
  return object.contains(key) && object[key].is_string() ? object[key].get<std::string>() : std::string();
}

}  // namespace concertina::latency
