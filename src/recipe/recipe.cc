#include "recipe/recipe.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <sstream>
#include <type_traits>

#include "base/file.h"
#include "base/nearest.h"
#include "base/try.h"
#include "recipe/recipe_fields.h"

namespace concertina::recipe {
namespace {

std::string dotted(std::string_view table, std::string_view key) {
  return table.empty() ? std::string(key) : fmt::format("{}.{}", table, key);
}

std::vector<std::string> known_keys() {
  std::vector<std::string> keys;
  const Recipe recipe;
  for_each_field(recipe, [&](std::string_view table, std::string_view key, const auto&, const Range&) {
    keys.push_back(dotted(table, key));
  });
  return keys;
}

Status check_key(const std::string& key, const std::vector<std::string>& known, std::string_view source) {
  if (std::find(known.begin(), known.end(), key) != known.end()) return {};
  return Error{
      fmt::format("{}: there is no key '{}'; did you mean '{}'?", source, key, nearest_name(key, known))};
}

Status check_keys(const toml::table& root, std::string_view source) {
  const std::vector<std::string> known = known_keys();
  for (const auto& [key, node] : root) {
    const toml::table* table = node.as_table();
    if (!table) {
      RETURN_IF_ERROR(check_key(std::string(key.str()), known, source));
      continue;
    }
    for (const auto& entry : *table)
      RETURN_IF_ERROR(check_key(dotted(key.str(), entry.first.str()), known, source));
  }
  return {};
}

Status check_range(double value, const Range& range, std::string_view key) {
  if (value >= range.low && value <= range.high) return {};
  return Error{fmt::format("{} = {} is out of range; it must be between {} and {}", key, value, range.low,
                           range.high)};
}

template <typename T>
Status read_value(const toml::node& node, const std::string& key, T& value, const Range& range) {
  if constexpr (std::is_same_v<T, bool>) {
    const auto given = node.value_exact<bool>();
    if (!given) return Error{fmt::format("{} must be true or false", key)};
    value = *given;
  } else if constexpr (std::is_same_v<T, int>) {
    const auto given = node.value_exact<std::int64_t>();
    if (!given) return Error{fmt::format("{} must be a whole number", key)};
    RETURN_IF_ERROR(check_range(static_cast<double>(*given), range, key));
    value = static_cast<int>(*given);
  } else if constexpr (std::is_same_v<T, double>) {
    const auto given = node.value<double>();
    if (!given || node.is_boolean()) return Error{fmt::format("{} must be a number", key)};
    RETURN_IF_ERROR(check_range(*given, range, key));
    value = *given;
  } else if constexpr (std::is_same_v<T, std::vector<double>>) {
    const toml::array* list = node.as_array();
    if (!list) return Error{fmt::format("{} must be a list of numbers, such as [0.5, 0.5, 0.5]", key)};
    value.clear();
    for (const toml::node& element : *list) {
      RETURN_IF_ERROR(read_value(element, key, value.emplace_back(), range));
    }
  } else if constexpr (std::is_same_v<T, std::string>) {
    const auto given = node.value_exact<std::string>();
    if (!given) return Error{fmt::format("{} must be text in quotes", key)};
    value = *given;
  } else {
    const auto given = node.value_exact<std::string>();
    const auto& names = kNames<T>;
    const auto found = given ? std::find(names.begin(), names.end(), *given) : names.end();
    if (found == names.end()) return Error{fmt::format("{} must be one of: {}", key, fmt::join(names, ", "))};
    value = static_cast<T>(found - names.begin());
  }
  return {};
}

template <typename T>
std::string write_value(const T& value) {
  if constexpr (std::is_same_v<T, std::string>) {
    std::ostringstream quoted;
    quoted << toml::value<std::string>(value);
    return quoted.str();
  } else if constexpr (std::is_same_v<T, double>) {
    const std::string text = fmt::format("{}", value);
    return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
  } else if constexpr (std::is_same_v<T, std::vector<double>>) {
    std::vector<std::string> texts;
    for (const double element : value) texts.push_back(write_value(element));
    return fmt::format("[{}]", fmt::join(texts, ", "));
  } else if constexpr (std::is_enum_v<T>) {
    return fmt::format("\"{}\"", kNames<T>[static_cast<std::size_t>(value)]);
  } else {
    return fmt::format("{}", value);
  }
}

Result<toml::table> parse_table(std::string_view text, std::string_view source) {
  try {
    return toml::parse(text, source);
  } catch (const toml::parse_error& e) {
    return Error{fmt::format("{}, line {}: {}; correct it and run again", source, e.source().begin.line,
                             std::string(e.description()))};
  }
}

/// "a.b=c" as a table; c is a TOML value, or text if it is none.
Result<toml::table> parse_setting(const std::string& setting) {
  const std::size_t equals = setting.find('=');
  if (equals == std::string::npos || equals == 0) {
    return Error{fmt::format("--set {}: write it as table.key=value", setting)};
  }
  const std::string source = "--set " + setting;
  auto as_value = parse_table(setting, source);
  if (as_value) return as_value;
  return parse_table(fmt::format("{}={}", setting.substr(0, equals), write_value(setting.substr(equals + 1))),
                     source);
}

void merge(toml::table& into, const toml::table& from) {
  for (const auto& [key, node] : from) {
    toml::table* existing = into[key].as_table();
    if (existing && node.is_table()) {
      merge(*existing, *node.as_table());
    } else {
      into.insert_or_assign(key, node);
    }
  }
}

/// network = "net.onnx" is network.file.
void expand_shorthand(toml::table& root) {
  const auto file = root["network"].value_exact<std::string>();
  if (file) root.insert_or_assign("network", toml::table{{"file", *file}});
}

/// What a file of a network says itself.
bool belongs_to_built_in(std::string_view table, std::string_view key) {
  return table == "network" && (key == "name" || key == "width" || key == "decoupled");
}

/// A setting that says where the network comes from replaces all that the recipe says of that. Its file is
/// the user's, who stands in the working folder.
void choose_network(toml::table& over, toml::table& root) {
  toml::table* chosen = over["network"].as_table();
  toml::table* network = root["network"].as_table();
  if (chosen == nullptr) return;
  const auto drop = [&](std::initializer_list<std::string_view> keys) {
    for (const std::string_view key : keys) {
      if (network != nullptr && !chosen->contains(key)) network->erase(key);
    }
  };
  if (const auto file = (*chosen)["file"].value<std::string>(); file && !file->empty()) {
    drop({"name", "width", "decoupled", "output", "new_classifier", "batch_norm"});
    std::error_code code;
    const std::filesystem::path path = std::filesystem::absolute(*file, code);
    if (!code) chosen->insert_or_assign("file", path.lexically_normal().string());
  } else if (chosen->contains("name")) {
    drop({"file", "output", "new_classifier", "batch_norm"});
  }
}

/// Fails where the file names keys of both kinds of network.
Status check_network_keys(const Recipe& recipe, const toml::table& root) {
  Status status;
  for_each_field(recipe, [&](std::string_view table, std::string_view key, const auto&, const Range&) {
    if (recipe.network.file.empty() || !belongs_to_built_in(table, key) || !root[table][key]) return;
    status =
        Error{fmt::format("network.file and network.{} are both given; "
                          "a network is read from a file or built by name, so leave one out",
                          key)};
  });
  return status;
}

Status check_network(const Recipe::Network& network) {
  if (!network.file.empty() || (network.output.empty() && !network.new_classifier)) return {};
  return Error{fmt::format("network.{} is about a network that is read from a file; name it in network.file",
                           network.output.empty() ? "new_classifier" : "output")};
}

Status check_data(const Recipe::Data& data) {
  if (data.resize == 0) return {};
  if (data.crop != Crop::resized)
    return Error{"data.resize is for data.crop = \"resized\"; set that, or leave data.resize out"};
  if (data.resize >= data.image_size) return {};
  return Error{
      fmt::format("data.resize = {} is less than data.image_size = {}; "
                  "a crop of the middle needs at least as many pixels",
                  data.resize, data.image_size)};
}

/// A last layer that knows nothing must be trained before it is used.
Status check_new_classifier(const Recipe& recipe) {
  const bool pretrained = recipe.pretrain.epochs > 0, prepared = recipe.prepare.epochs > 0;
  const bool known_to_search = recipe.search.method != SearchMethod::progressive || pretrained || prepared;
  const bool known_to_joint = recipe.joint.start == JointStart::scratch || pretrained ||
                              (recipe.joint.start == JointStart::prepared && prepared);
  const RankMethod method = recipe.rank.method;
  const bool gradients =
      method == RankMethod::noise || method == RankMethod::taylor || method == RankMethod::fisher;
  const bool known_to_rank = !gradients || pretrained;
  if (!recipe.network.new_classifier || (known_to_rank && known_to_search && known_to_joint)) return {};
  return Error{
      "network.new_classifier gives the network a last layer that knows nothing, "
      "and pretrain.epochs = 0 does not train it before it is used; set it to 1 or more"};
}

Status check_search(const Recipe::Search& search) {
  if (search.floor_groups > search.groups) {
    return Error{
        fmt::format("search.floor_groups = {} is more than search.groups = {}; "
                    "a dimension cannot keep more groups than it has",
                    search.floor_groups, search.groups)};
  }
  if (search.cost == SearchCost::latency && search.latency_table.empty()) {
    return Error{
        "search.cost = \"latency\" needs the milliseconds of a machine; "
        "make a table there with concertina profile and name it in search.latency_table"};
  }
  if (search.method == SearchMethod::given && search.subnets.empty()) {
    return Error{
        "search.method = \"given\" needs a file; "
        "name it in search.subnets (a select/subnets.json shows how)"};
  }
  if (groups_at_end(search) < search.groups) return {};
  return Error{
      fmt::format("search.end_fraction = {} of search.groups = {} is all of them, "
                  "so there is nothing to search; make it smaller",
                  search.end_fraction, search.groups)};
}

Status check_alone(const Recipe::Joint& joint) {
  if (joint.method == JointMethod::together) return {};
  const char* key = joint.ema > 0              ? "ema"
                    : joint.focus > 0          ? "focus"
                    : joint.private_norm       ? "private_norm"
                    : joint.private_classifier ? "private_classifier"
                                               : nullptr;
  if (key == nullptr) return {};
  return Error{
      fmt::format("joint.method = \"alone\" trains every sub-net by itself, without joint.{}; "
                  "leave one of the two out",
                  key)};
}

Status check_refine(const Recipe& recipe) {
  if (recipe.refine.images == 1)
    return Error{"refine.images = 1 has no batch statistics; give 2 or more, or 0 for none"};
  const bool own = recipe.joint.private_norm || recipe.joint.private_classifier ||
                   recipe.joint.method == JointMethod::alone;
  if (recipe.refine.images == 0 || !own) return {};
  return Error{
      "refine changes sub-nets after their training, which those with parameters of their own cannot bear; "
      "set refine.images = 0"};
}

}  // namespace

Status check_recipe(const Recipe& recipe) {
  RETURN_IF_ERROR(check_network(recipe.network));
  RETURN_IF_ERROR(check_data(recipe.data));
  RETURN_IF_ERROR(check_search(recipe.search));
  RETURN_IF_ERROR(check_alone(recipe.joint));
  RETURN_IF_ERROR(check_refine(recipe));
  return check_new_classifier(recipe);
}

Status check_budget(const Recipe& recipe) {
  const int ranked = recipe.rank.method == RankMethod::noise ? recipe.rank.epochs : 0;
  const int before = recipe.pretrain.epochs + ranked + recipe.prepare.epochs;
  if (recipe.joint.method == JointMethod::alone || recipe.joint.budget == 0 || before < recipe.joint.budget)
    return {};
  return Error{fmt::format(
      "joint.budget = {} epochs of the full network, and pretrain.epochs = {}{}{} leave nothing of it; "
      "raise it, or shorten those",
      recipe.joint.budget, recipe.pretrain.epochs,
      ranked > 0 ? fmt::format(", rank.epochs = {}", ranked) : "",
      recipe.prepare.epochs > 0 ? fmt::format(", prepare.epochs = {}", recipe.prepare.epochs) : "")};
}

int groups_at_end(const Recipe::Search& search) {
  return std::clamp(static_cast<int>(std::lround(search.end_fraction * search.groups)), 1, search.groups);
}

Result<Recipe> parse_recipe(std::string_view text, std::string_view source,
                            std::span<const std::string> settings) {
  ASSIGN_OR_RETURN(toml::table root, parse_table(text, source));
  expand_shorthand(root);
  RETURN_IF_ERROR(check_keys(root, source));
  for (const std::string& setting : settings) {
    ASSIGN_OR_RETURN(toml::table over, parse_setting(setting));
    expand_shorthand(over);
    RETURN_IF_ERROR(check_keys(over, "--set " + setting));
    choose_network(over, root);
    merge(root, over);
  }
  Recipe recipe;
  Status status;
  for_each_field(recipe, [&](std::string_view table, std::string_view key, auto& value, const Range& range) {
    const auto node = table.empty() ? root[key] : root[table][key];
    if (status && node) status = read_value(*node.node(), dotted(table, key), value, range);
  });
  if (status) status = check_network_keys(recipe, root);
  if (status) status = check_recipe(recipe);
  if (!status) return Error{fmt::format("{}: {}", source, status.error().message)};
  return recipe;
}

Result<Recipe> read_recipe(const std::filesystem::path& path, std::span<const std::string> settings) {
  ASSIGN_OR_RETURN(const std::string text, read_file(path));
  ASSIGN_OR_RETURN(Recipe recipe, parse_recipe(text, path.string(), settings));
  std::string& file = recipe.network.file;
  std::error_code code;
  const std::filesystem::path folder = std::filesystem::absolute(path, code).parent_path();
  if (!file.empty() && !code) file = (folder / file).lexically_normal().string();
  return recipe;
}

std::string table_to_toml(const Recipe& recipe, std::string_view wanted) {
  std::string text;
  for_each_field(recipe, [&](std::string_view table, std::string_view key, const auto& value, const Range&) {
    if (!recipe.network.file.empty() && belongs_to_built_in(table, key)) return;
    if (table == wanted) text += fmt::format("{} = {}\n", key, write_value(value));
  });
  return text;
}

std::string to_toml(const Recipe& recipe) {
  std::string text;
  std::string_view current;
  for_each_field(recipe, [&](std::string_view table, std::string_view, const auto&, const Range&) {
    if (table == current && !text.empty()) return;
    current = table;
    if (!table.empty()) text += fmt::format("\n[{}]\n", table);
    text += table_to_toml(recipe, table);
  });
  return text;
}

}  // namespace concertina::recipe
