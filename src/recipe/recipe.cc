#include "recipe/recipe.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <type_traits>

#include "base/file.h"
#include "base/reader.h"
#include "base/text.h"
#include "base/try.h"
#include "recipe/recipe_fields.h"

namespace concertina::recipe {
namespace {

std::string dotted(std::string_view table, std::string_view key) {
  return table.empty() ? std::string(key) : fmt::format("{}.{}", table, key);
}

/// A value, and the folder that it is from if it is a path.
struct Value {
  Reader reader;
  std::filesystem::path folder;
};

/// What a recipe says, by "table.key".
using Values = std::map<std::string, Value>;

/// Adds the values of a file, a setting or a part of a file; those that are there already are replaced.
void add_values(const Value& root, Values& values) {
  const auto add = [&](const std::string& key, const Reader& reader) {
    values.insert_or_assign(key, Value{reader, root.folder});
  };
  for (const Reader& member : root.reader.members()) {
    if (member.key() == "network" && member.is_text()) {
      add("network.file", member);  // network = "net.onnx"
    } else if (member.is_table()) {
      for (const Reader& inner : member.members()) add(dotted(member.key(), inner.key()), inner);
    } else {
      add(member.key(), member);
    }
  }
}

std::string last_part(const std::string& key) {
  return key.substr(key.rfind('.') + 1);  // npos + 1 is 0
}

/// A key without its table is looked for in all tables.
void report_unknown(const std::string& key, const Reader& value, const std::vector<std::string>& known) {
  std::vector<std::string> parts, meant;
  for (const std::string& one : known) parts.push_back(last_part(one));
  const std::string nearest = key.find('.') == std::string::npos ? nearest_name(shown(key), parts) : "";
  for (const std::string& one : known) {
    if (last_part(one) == nearest) meant.push_back(one);
  }
  if (meant.size() > 1 && nearest == key)
    return value.fail(fmt::format("there is no such key; did you mean one of {}?", fmt::join(meant, ", ")));
  value.no_such_key(key, meant.size() == 1 ? meant : known);
}

void check_keys(const Values& values) {
  std::vector<std::string> known;
  const Recipe recipe;
  for_each_field(recipe, [&](std::string_view table, std::string_view key, const auto&, const Range&) {
    known.push_back(dotted(table, key));
  });
  for (const auto& [key, value] : values) {
    if (std::find(known.begin(), known.end(), key) == known.end()) report_unknown(key, value.reader, known);
  }
}

/// An absolute one; nothing stays nothing.
std::filesystem::path read_path(const Value& value) {
  const std::filesystem::path path = value.reader.text();
  std::error_code code;
  const auto absolute = std::filesystem::absolute(value.folder / path, code);
  return path.empty() || code ? path : absolute.lexically_normal();
}

template <typename T>
inline constexpr bool kIsList = false;
template <typename T>
inline constexpr bool kIsList<std::vector<T>> = true;

template <typename T>
inline constexpr bool kIsOptional = false;
template <typename T>
inline constexpr bool kIsOptional<std::optional<T>> = true;

/// Whether a key has a value that can be written.
template <typename T>
bool is_given(const T& value) {
  if constexpr (kIsOptional<T>) return value.has_value();
  return true;
}

template <typename T>
void read_value(const Value& said, T& value, const Range& range) {
  const Reader& reader = said.reader;
  if constexpr (std::is_same_v<T, bool>) {
    value = reader.boolean();
  } else if constexpr (std::is_same_v<T, int>) {
    value = reader.whole(range);
  } else if constexpr (std::is_same_v<T, double>) {
    value = reader.number(range);
  } else if constexpr (kIsOptional<T>) {
    read_value(said, value.emplace(), range);
  } else if constexpr (kIsList<T>) {
    value.clear();
    for (const Reader& entry : reader.entries())
      read_value({entry, said.folder}, value.emplace_back(), range);
  } else if constexpr (std::is_same_v<T, std::string>) {
    value = reader.text();
  } else if constexpr (std::is_same_v<T, std::filesystem::path>) {
    value = read_path(said);
  } else {
    value = reader.one_of<T>(kNames<T>);
  }
}

template <typename T>
std::string write_value(const T& value) {
  if constexpr (std::is_same_v<T, std::string>) {
    return concertina::to_toml(value);
  } else if constexpr (std::is_same_v<T, std::filesystem::path>) {
    return concertina::to_toml(value.string());
  } else if constexpr (std::is_same_v<T, double>) {
    const std::string text = fmt::format("{}", value);
    return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
  } else if constexpr (kIsOptional<T>) {
    return write_value(*value);
  } else if constexpr (kIsList<T>) {
    std::vector<std::string> texts;
    for (const auto& element : value) texts.push_back(write_value(element));
    return fmt::format("[{}]", fmt::join(texts, ", "));
  } else if constexpr (std::is_enum_v<T>) {
    static_assert(!kNames<T>.empty(), "recipe_fields.h has no words for this enumeration");
    return fmt::format("\"{}\"", kNames<T>[static_cast<std::size_t>(value)]);
  } else {
    return fmt::format("{}", value);
  }
}

/// "a.b=c"; c is a TOML value, or text if it is none.
Result<Reader> parse_setting(const std::string& setting) {
  const std::size_t equals = setting.find('=');
  if (equals == std::string::npos || equals == 0) {
    return Error{fmt::format("--set {}: write it as table.key=value", setting)};
  }
  const std::string source = "--set " + setting;
  const Reader as_value = Reader::of_toml(setting, source);
  if (as_value.status()) return as_value;
  return Reader::of_toml(
      fmt::format("{}={}", setting.substr(0, equals), write_value(setting.substr(equals + 1))), source);
}

/// What a file of a network says itself.
bool belongs_to_built_in(std::string_view table, std::string_view key) {
  return table == "network" && (key == "name" || key == "width" || key == "decoupled");
}

/// What says where the network comes from replaces all that was said of that before.
void choose_network(const Values& over, Values& values) {
  const auto drop = [&](std::initializer_list<const char*> keys) {
    for (const char* key : keys) values.erase(key);
  };
  const auto file = over.find("network.file");
  if (file != over.end() && file->second.reader.is_text() && !file->second.reader.text().empty()) {
    drop({"network.name", "network.width", "network.decoupled", "network.output", "network.new_classifier",
          "network.batch_norm"});
  } else if (over.contains("network.name")) {
    drop({"network.file", "network.output", "network.new_classifier", "network.batch_norm"});
  }
}

/// Fails where the files name keys of both kinds of network.
Status check_network_keys(const Recipe& recipe, const Values& values) {
  Status status;
  for_each_field(recipe, [&](std::string_view table, std::string_view key, const auto&, const Range&) {
    if (recipe.network.file.empty() || !belongs_to_built_in(table, key) ||
        !values.contains(dotted(table, key)))
      return;
    status =
        Error{fmt::format("network.file and network.{} are both given; "
                          "a network is read from a file or built by name, so leave one out",
                          key)};
  });
  return status;
}

/// What other tasks than classifying do not have.
Status check_task(const Recipe& recipe) {
  const bool learns = !recipe.distill.losses.empty() || !recipe.distill.weights.empty();
  if (recipe.task != Task::distill && learns) {
    return Error{
        "the keys of [distill] say how a network's outputs are learned; set task = \"distill\", or leave "
        "them out"};
  }
  if (recipe.task == Task::classify) return {};
  if (recipe.task == Task::segment) {
    if (!recipe.network.file.empty()) return {};
    return Error{
        "task = \"segment\" needs a network that gives a map, and those built by name give a vector; "
        "name an ONNX file in network.file"};
  }
  if (recipe.network.file.empty()) {
    return Error{
        "task = \"distill\" learns what a trained network makes of images; "
        "name its ONNX file in network.file"};
  }
  if (!recipe.network.new_classifier) return {};
  return Error{
      "task = \"distill\" learns the outputs of the file's network, and network.new_classifier "
      "replaces them; leave one out"};
}

Status check_network(const Recipe::Network& network) {
  if (!network.file.empty() || (network.output.empty() && !network.new_classifier)) return {};
  return Error{fmt::format("network.{} is about a network that is read from a file; name it in network.file",
                           network.output.empty() ? "new_classifier" : "output")};
}

/// Numbers for pixels of 0..255 give a network nothing it knows if pixels are scaled to 0..1.
Status check_range(const Recipe::Data& data) {
  if (data.range == PixelRange::to_255) return {};
  for (const auto& [key, values] : {std::pair{"mean", &data.mean}, {"stddev", &data.stddev}}) {
    for (const double value : *values) {
      if (value <= 1) continue;
      return Error{
          fmt::format("data.{} = {} is above 1, but pixels are scaled to 0..1; divide it by 255, or set "
                      "data.range = \"0..255\" if the network takes such pixels",
                      key, value)};
    }
  }
  return {};
}

Status check_data(const Recipe::Data& data) {
  RETURN_IF_ERROR(check_range(data));
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
  const RankMethod method = recipe.rank.method;
  const bool gradients =
      method == RankMethod::noise || method == RankMethod::taylor || method == RankMethod::fisher;
  const bool used_before_joint = gradients || recipe.search.method == SearchMethod::progressive;
  const bool from_scratch = recipe.joint.start == JointStart::scratch && !used_before_joint;
  if (!recipe.network.new_classifier || recipe.pretrain.epochs > 0 || from_scratch) return {};
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

Status check_alone(const Recipe& recipe) {
  const Recipe::Joint& joint = recipe.joint;
  if (joint.method == JointMethod::together) return {};
  if (recipe.quantize.epochs > 0) {
    return Error{fmt::format(
        "quantize.epochs fine-tunes the weights that all sub-nets share, and joint.method = \"{}\" "
        "gives each its own; leave one of the two out",
        kNames<JointMethod>[static_cast<std::size_t>(joint.method)])};
  }
  if (joint.method == JointMethod::split && joint.budget == 0)
    return Error{"joint.method = \"split\" divides a budget among the sub-nets; give it in joint.budget"};
  const char* key = joint.focus > 0 ? "focus" : joint.private_norm ? "private_norm" : nullptr;
  if (key == nullptr) return {};
  return Error{
      fmt::format("joint.method = \"{}\" trains every sub-net by itself, without joint.{}; "
                  "leave one of the two out",
                  kNames<JointMethod>[static_cast<std::size_t>(joint.method)], key)};
}

}  // namespace

Status check_recipe(const Recipe& recipe) {
  RETURN_IF_ERROR(check_task(recipe));
  RETURN_IF_ERROR(check_network(recipe.network));
  RETURN_IF_ERROR(check_data(recipe.data));
  RETURN_IF_ERROR(check_search(recipe.search));
  RETURN_IF_ERROR(check_alone(recipe));
  return check_new_classifier(recipe);
}

Status check_budget(const Recipe& recipe) {
  const double ranked = rank_epochs(recipe.rank);
  if (recipe.joint.method == JointMethod::alone || recipe.joint.budget == 0 ||
      recipe.pretrain.epochs + ranked < recipe.joint.budget)
    return {};
  return Error{fmt::format(
      "joint.budget = {} epochs of the full network, and pretrain.epochs = {}{} leave nothing of it; "
      "raise it, or shorten those",
      recipe.joint.budget, recipe.pretrain.epochs,
      ranked > 0 ? fmt::format(", rank.epochs = {} (each counts as two)", recipe.rank.epochs) : "")};
}

std::vector<Stage> stages_of(const Recipe& recipe) {
  std::vector<Stage> stages = {Stage::pretrain, Stage::rank, Stage::search, Stage::select, Stage::joint};
  if (recipe.quantize.epochs > 0) stages.push_back(Stage::fine_tune);
  stages.push_back(Stage::package);
  return stages;
}

double rank_epochs(const Recipe::Rank& rank) {
  return rank.method == RankMethod::noise ? 2.0 * rank.epochs : 0;
}

double schedule_epochs(const Recipe& recipe) {
  if (recipe.joint.budget > 0) return recipe.joint.budget;
  const bool goes_on = recipe.joint.start == JointStart::ranked;
  return recipe.pretrain.epochs + (goes_on ? recipe.joint.epochs : rank_epochs(recipe.rank));
}

int groups_at_end(const Recipe::Search& search) {
  return std::clamp(static_cast<int>(std::lround(search.end_fraction * search.groups)), 1, search.groups);
}

Result<Recipe> parse_recipe(std::string_view text, const std::filesystem::path& path,
                            std::span<const std::string> settings, const ArmKeys* arm) {
  Values values;
  const Reader file = Reader::of_toml(text, path.string());
  add_values({file, path.parent_path()}, values);
  std::vector<Value> others;
  for (const std::string& setting : settings) {
    ASSIGN_OR_RETURN(Reader other, parse_setting(setting));
    others.push_back({std::move(other), {}});
  }
  if (arm != nullptr) others.push_back({arm->table, arm->folder});
  for (const Value& other : others) {
    Values over;
    add_values(other, over);
    if (&other == &others.back() && arm != nullptr) over.erase("name");
    choose_network(over, values);
    for (const auto& [key, value] : over) values.insert_or_assign(key, value);
  }
  check_keys(values);
  Recipe recipe;
  for_each_field(recipe, [&](std::string_view table, std::string_view key, auto& value, const Range& range) {
    if (const auto found = values.find(dotted(table, key)); found != values.end())
      read_value(found->second, value, range);
    // What is distilled is trained already.
    if (key == "task" && recipe.task == Task::distill) recipe.pretrain.epochs = 0;
  });
  RETURN_IF_ERROR(file.status());
  for (const Value& other : others) RETURN_IF_ERROR(other.reader.status());
  Status status = check_network_keys(recipe, values);
  if (status) status = check_recipe(recipe);
  if (status) return recipe;
  // What the file alone does not do wrong, the settings do.
  const bool by_settings = !settings.empty() && parse_recipe(text, path, {}, arm);
  return Error{fmt::format("{}{}{}: {}", path.string(), by_settings ? " with --set " : "",
                           by_settings ? fmt::format("{}", fmt::join(settings, " --set ")) : "",
                           status.error().message)};
}

Result<Recipe> read_recipe(const std::filesystem::path& path, std::span<const std::string> settings,
                           const ArmKeys* arm) {
  ASSIGN_OR_RETURN(const std::string text, read_file(path));
  return parse_recipe(text, path, settings, arm);
}

Recipe without_paths(Recipe recipe) {
  for_each_field(recipe, [](std::string_view, std::string_view, auto& value, const Range&) {
    if constexpr (std::is_same_v<std::remove_reference_t<decltype(value)>, std::filesystem::path>)
      value.clear();
  });
  return recipe;
}

std::string table_to_toml(const Recipe& recipe, std::string_view wanted) {
  std::string text;
  for_each_field(recipe, [&](std::string_view table, std::string_view key, const auto& value, const Range&) {
    if (!recipe.network.file.empty() && belongs_to_built_in(table, key)) return;
    if (table == wanted && is_given(value)) text += fmt::format("{} = {}\n", key, write_value(value));
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
