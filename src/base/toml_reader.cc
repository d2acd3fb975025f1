#include "base/toml_reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/nearest.h"

namespace concertina {

TomlReader::TomlReader(const toml::node& node, std::string_view place)
    : node_(node), table_(node.as_table()), place_(place) {
  if (table_ == nullptr) fail("it must be a table");
}

void TomlReader::fail_at(const toml::node& node, std::string_view what) {
  if (!status_) return;
  status_ = Error{
      fmt::format("line {}: {}{}{}", node.source().begin.line, place_, place_.empty() ? "" : ": ", what)};
}

void TomlReader::fail(std::string_view what) {
  fail_at(node_, what);
}

void TomlReader::allow_only(std::span<const std::string> keys) {
  if (table_ == nullptr) return;
  for (const auto& [key, node] : *table_) {
    if (std::find(keys.begin(), keys.end(), key.str()) != keys.end()) continue;
    const std::string name = shown(key.str());
    fail_at(node, fmt::format("there is no key '{}'; did you mean '{}'?", name, nearest_name(name, keys)));
  }
}

const toml::node* TomlReader::find(std::string_view key) const {
  return table_ == nullptr ? nullptr : table_->get(key);
}

std::optional<double> TomlReader::number(std::string_view key, Range range) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto value = node->is_number() ? node->value<double>() : std::nullopt;
  if (value && *value >= range.low && *value <= range.high) return value;
  fail_at(*node, fmt::format("{} must be a number from {:g} to {:g}", key, range.low, range.high));
  return std::nullopt;
}

std::optional<int> TomlReader::whole_number(std::string_view key, Range range) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto value = node->value_exact<std::int64_t>();
  if (value && static_cast<double>(*value) >= range.low && static_cast<double>(*value) <= range.high)
    return static_cast<int>(*value);
  fail_at(*node, fmt::format("{} must be a whole number from {:g} to {:g}", key, range.low, range.high));
  return std::nullopt;
}

std::optional<std::string> TomlReader::text(std::string_view key) {
  constexpr std::size_t kLongest = 64;
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto value = node->value_exact<std::string>();
  if (value && !value->empty() && value->size() <= kLongest && *value == shown(*value)) return value;
  fail_at(*node, fmt::format("{} must be text in quotes, of 1 to {} bytes without control characters", key,
                             kLongest));
  return std::nullopt;
}

std::optional<std::size_t> TomlReader::one_of(std::string_view key, std::span<const std::string_view> names) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto value = node->value_exact<std::string>();
  const auto found = value ? std::find(names.begin(), names.end(), *value) : names.end();
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  std::string near;
  if (value) {
    const std::vector<std::string> words(names.begin(), names.end());
    near = fmt::format("; did you mean '{}'?", nearest_name(shown(*value), words));
  }
  fail_at(*node, fmt::format("{} must be one of {}{}", key, fmt::join(names, ", "), near));
  return std::nullopt;
}

const toml::array* TomlReader::tables(std::string_view key, std::size_t most) {
  const toml::node* node = find(key);
  if (node == nullptr) return nullptr;
  const toml::array* list = node->as_array();
  if (list == nullptr) {
    fail_at(*node, fmt::format("{} must be written as [[{}]]", key, key));
  } else if (list->size() > most) {
    fail_at(*node, fmt::format("[[{}]] is there {} times; {} are the most", key, list->size(), most));
    return nullptr;
  }
  return list;
}

std::string shown(std::string_view text) {
  constexpr std::size_t kLongest = 64;
  std::string result(text.substr(0, kLongest));
  for (char& c : result) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return result;
}

}  // namespace concertina
