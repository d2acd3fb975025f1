#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "recipe/recipe.h"

namespace concertina::recipe {

/// One way of training: a recipe.
struct Arm {
  std::string name;
  Recipe recipe;
};

/// Arms that are to be compared. Read from a TOML file:
///
///   recipe = "cifar10-resnet20.toml"   # what the arms have in common; a path from this file's folder
///   seeds = [1, 2, 3]
///   budget = 20.0                      # joint.budget of every arm; left out: each as its recipe says
///   points = 8                         # of the grid of sizes
///   references = ["us-net"]            # gains are counted over these; the first fixes sizes and budget
///   [[arm]]
///   name = "us-net"
///   search.method = "uniform"          # and any other key of a recipe
struct Comparison {
  std::vector<int> seeds = {1};
  int points = 8;
  std::vector<std::string> references;
  std::vector<Arm> arms;
};

/// `settings` ("table.key=value") go over the common recipe, and the arms' own keys over them; paths of the
/// arms are from the file's folder. Fails on anything that is not TOML, unknown or missing keys, arms without
/// a name, with the same name, or with a name that is no folder's, and references that are no arms.
Result<Comparison> read_comparison(const std::filesystem::path& path, std::span<const std::string> settings);

}  // namespace concertina::recipe
