#include "recipe/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/file.h"
#include "base/reader.h"
#include "base/try.h"

namespace concertina::recipe {
namespace {

bool is_folder_name(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '+';
  });
}

std::vector<int> read_seeds(const Reader& list) {
  std::vector<int> seeds;
  for (const Reader& seed : list.entries(1)) {
    seeds.push_back(seed.whole({0, 1e9}));
    if (std::find(seeds.begin(), seeds.end() - 1, seeds.back()) != seeds.end() - 1)
      seed.fail(fmt::format("{} is there twice; the same run again says nothing new", seeds.back()));
  }
  return seeds;
}

/// Whether accuracies are of the same thing.
bool measured_alike(const Recipe& a, const Recipe& b) {
  return a.task == b.task && a.network.output == b.network.output &&
         (a.task != Task::distill || table_to_toml(a, "distill") == table_to_toml(b, "distill"));
}

/// The arms' names.
std::vector<std::string> read_arms(const Reader& list, bool has_budget) {
  std::vector<std::string> names;
  for (const Reader& arm : list.entries(1)) {
    const std::string name = arm["name"].text();
    if (!is_folder_name(name)) arm["name"].must_be("a name of letters, digits, '-', '_' and '+'");
    if (std::find(names.begin(), names.end(), name) != names.end())
      arm.fail(fmt::format("two arms have the name '{}'", name));
    if (arm["seed"]) arm.fail(fmt::format("arm '{}' has a seed; seeds are the comparison's", name));
    if (has_budget && arm["joint"]["budget"]) {
      arm.fail(
          fmt::format("arm '{}' has a joint.budget, and the comparison has one for all arms; "
                      "leave one of the two out",
                      name));
    }
    names.push_back(name);
  }
  return names;
}

}  // namespace

Result<Comparison> read_comparison(const std::filesystem::path& path, std::span<const std::string> settings) {
  ASSIGN_OR_RETURN(const std::string text, read_file(path));
  const Reader root = Reader::of_toml(text, path.string());
  root.allow_only({"recipe", "seeds", "budget", "points", "references", "arm"});
  Comparison comparison;
  const std::string recipe = root["recipe"].text();
  if (const Reader seeds = root["seeds"]) comparison.seeds = read_seeds(seeds);
  comparison.points = root["points"].whole_or(comparison.points, {2, 1000});
  std::vector<std::string> common;
  if (const Reader budget = root["budget"])
    common.push_back(fmt::format("joint.budget={:.9g}", budget.number(kPositive)));
  common.insert(common.end(), settings.begin(), settings.end());
  if (!root["arm"]) root.fail("there are no arms; write each as [[arm]] with a name");
  const std::vector<std::string> names = read_arms(root["arm"], !!root["budget"]);
  for (const Reader& reference : root["references"].entries(1)) {
    comparison.references.push_back(reference.text());
    if (std::find(names.begin(), names.end(), comparison.references.back()) == names.end())
      reference.fail(fmt::format("'{}' is none of the arms", comparison.references.back()));
  }
  RETURN_IF_ERROR(root.status());
  for (const Reader& arm : root["arm"].entries()) {
    const std::string& name = names[comparison.arms.size()];
    // What makes the arm what it is goes over what all have in common.
    const ArmKeys keys{arm, path.parent_path()};
    auto resolved = read_recipe(path.parent_path() / recipe, common, &keys);
    RETURN_IF_ERROR(root.status());
    if (!resolved)
      return Error{fmt::format("{}: arm '{}': {}", path.string(), name, resolved.error().message)};
    if (!comparison.arms.empty() && !measured_alike(*resolved, comparison.arms[0].recipe))
      return Error{fmt::format(
          "{}: arm '{}' has another task, distill table or network.output than '{}', so its accuracy "
          "is something else; compare them in two files",
          path.string(), name, names[0])};
    comparison.arms.push_back({name, *std::move(resolved)});
  }
  return comparison;
}

}  // namespace concertina::recipe
