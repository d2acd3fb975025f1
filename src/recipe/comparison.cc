#include "recipe/comparison.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <sstream>

#include "base/file.h"
#include "base/nearest.h"
#include "base/try.h"

namespace concertina::recipe {
namespace {

const std::vector<std::string> kKeys = {"recipe", "seeds", "budget", "points", "reference", "arm"};

/// A table of a recipe as the settings that --set would take.
std::vector<std::string> to_settings(const toml::table& table, const std::string& prefix) {
  std::vector<std::string> settings;
  for (const auto& [key, node] : table) {
    const std::string name = prefix + std::string(key.str());
    if (const toml::table* inner = node.as_table()) {
      for (std::string& setting : to_settings(*inner, name + ".")) settings.push_back(std::move(setting));
    } else {
      std::ostringstream value;
      node.visit([&](const auto& n) { value << n; });
      settings.push_back(name + "=" + value.str());
    }
  }
  return settings;
}

bool is_folder_name(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '+';
  });
}

/// Reads the keys of one comparison.
class Reader {
 public:
  explicit Reader(const toml::table& root) : root_(root) {}

  Status check_keys() const {
    for (const auto& [key, node] : root_) {
      const std::string name(key.str());
      if (std::find(kKeys.begin(), kKeys.end(), name) != kKeys.end()) continue;
      return Error{fmt::format("there is no key '{}'; did you mean '{}'?", name, nearest_name(name, kKeys))};
    }
    return {};
  }

  Result<std::string> text(const char* key) const {
    const auto value = root_[key].value_exact<std::string>();
    if (!value) return Error{fmt::format("{} must be given, as text in quotes", key)};
    return *value;
  }

  Result<std::vector<int>> seeds() const {
    if (!root_.contains("seeds")) return std::vector<int>{1};
    std::vector<int> seeds;
    if (const toml::array* list = root_["seeds"].as_array()) {
      for (const auto& node : *list) {
        const auto seed = node.value_exact<std::int64_t>();
        if (!seed || *seed < 0 || *seed > 1'000'000'000)
          return Error{"seeds must be whole numbers from 0 to 10^9"};
        if (std::find(seeds.begin(), seeds.end(), static_cast<int>(*seed)) != seeds.end())
          return Error{fmt::format("seeds has {} twice; the same run again says nothing new", *seed)};
        seeds.push_back(static_cast<int>(*seed));
      }
    }
    if (seeds.empty()) return Error{"seeds must be a list of whole numbers, such as [1, 2, 3]"};
    return seeds;
  }

  Result<int> points() const {
    if (!root_.contains("points")) return 8;
    const auto points = root_["points"].value_exact<std::int64_t>();
    if (!points || *points < 2 || *points > 1000)
      return Error{"points must be a whole number from 2 to 1000"};
    return static_cast<int>(*points);
  }

  Result<std::vector<std::string>> budget() const {
    if (!root_.contains("budget")) return std::vector<std::string>{};
    const auto budget = root_["budget"].value<double>();
    if (!budget || !(*budget > 0))
      return Error{"budget must be a positive number of epochs of the full network"};
    return std::vector<std::string>{fmt::format("joint.budget={:.9g}", *budget)};
  }

  /// The arms' tables, each without its name.
  Result<std::vector<std::pair<std::string, std::vector<std::string>>>> arms() const {
    std::vector<std::pair<std::string, std::vector<std::string>>> arms;
    const toml::array* list = root_["arm"].as_array();
    if (!list || list->empty()) return Error{"there are no arms; write each as [[arm]] with a name"};
    for (const auto& node : *list) {
      if (!node.is_table()) return Error{"arm must be a list of tables; write each as [[arm]]"};
      toml::table table = *node.as_table();
      const auto name = table["name"].value_exact<std::string>();
      if (!name || !is_folder_name(*name)) {
        return Error{
            fmt::format("arm {} needs a name of letters, digits, '-', '_' and '+'", arms.size() + 1)};
      }
      for (const auto& [other, settings] : arms) {
        if (other == *name) return Error{fmt::format("two arms have the name '{}'", other)};
      }
      table.erase("name");
      if (table.contains("seed"))
        return Error{fmt::format("arm '{}' has a seed; seeds are the comparison's", *name)};
      if (root_.contains("budget") && table.at_path("joint.budget")) {
        return Error{
            fmt::format("arm '{}' has a joint.budget, and the comparison has one for all arms; "
                        "leave one of the two out",
                        *name)};
      }
      arms.emplace_back(*name, to_settings(table, ""));
    }
    return arms;
  }

 private:
  const toml::table& root_;
};

Result<Comparison> read(const toml::table& root, const std::filesystem::path& folder,
                        std::span<const std::string> settings) {
  const Reader reader(root);
  RETURN_IF_ERROR(reader.check_keys());
  Comparison comparison;
  ASSIGN_OR_RETURN(const std::string recipe, reader.text("recipe"));
  ASSIGN_OR_RETURN(comparison.seeds, reader.seeds());
  ASSIGN_OR_RETURN(comparison.points, reader.points());
  ASSIGN_OR_RETURN(comparison.reference, reader.text("reference"));
  ASSIGN_OR_RETURN(const auto budget, reader.budget());
  ASSIGN_OR_RETURN(const auto arms, reader.arms());
  for (const auto& [name, own] : arms) {
    std::vector<std::string> all = budget;
    all.insert(all.end(), settings.begin(), settings.end());
    all.insert(all.end(), own.begin(), own.end());  // what makes the arm what it is wins
    auto resolved = read_recipe(folder / recipe, all);
    if (!resolved) return Error{fmt::format("arm '{}': {}", name, resolved.error().message)};
    comparison.arms.push_back({name, *std::move(resolved)});
  }
  if (std::none_of(arms.begin(), arms.end(),
                   [&](const auto& arm) { return arm.first == comparison.reference; })) {
    return Error{fmt::format("the reference '{}' is none of the arms", comparison.reference)};
  }
  return comparison;
}

}  // namespace

Result<Comparison> read_comparison(const std::filesystem::path& path, std::span<const std::string> settings) {
  ASSIGN_OR_RETURN(const std::string text, read_file(path));
  try {
    auto comparison = read(toml::parse(text, path.string()), path.parent_path(), settings);
    if (!comparison) return Error{fmt::format("{}: {}", path.string(), comparison.error().message)};
    return comparison;
  } catch (const toml::parse_error& e) {
    return Error{fmt::format("{}, line {}: {}; correct it and run again", path.string(),
                             e.source().begin.line, std::string(e.description()))};
  }
}

}  // namespace concertina::recipe
