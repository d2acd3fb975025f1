#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <type_traits>

#include "concertina/result.h"
#include "graph/shape.h"

/// Options that several verbs have, with the same words.
namespace concertina::apps {

/// Adds an option for a number from `low` to `high`; the help shows its default.
template <typename T>
CLI::Option* add_range_option(CLI::App* verb, const std::string& name, T& value, const std::string& help,
                              std::type_identity_t<T> low, std::type_identity_t<T> high) {
  return verb->add_option(name, value, help)->check(CLI::Range(low, high))->capture_default_str();
}

/// Adds --json.
inline void add_json_option(CLI::App* verb, bool& json, const std::string& help = "print JSON") {
  verb->add_flag("--json", json, help);
}

/// "3x224x224" or "3"; nothing for an empty text. Fails with what was expected.
Result<std::optional<Shape>> parse_shape(const std::string& text);

}  // namespace concertina::apps
