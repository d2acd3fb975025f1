#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

/// What the readers of tables have in common. The values are not trusted.
namespace concertina::latency {

using Json = nlohmann::json;

/// A member of an object, null if there is none. No copy: one would ask for memory when it goes.
const Json& member(const Json& object, const char* key);

/// Nothing unless it is positive and finite.
std::optional<double> positive_number(const Json& number);

/// A whole number from 1 to `most` of an object; 0 if there is none.
std::int64_t count_at(const Json& object, const char* key, std::int64_t most = 1'000'000'000);

/// Empty if there is no such text.
std::string text_at(const Json& object, const char* key);

}  // namespace concertina::latency
