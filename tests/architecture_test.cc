// Who may see whom: src/arrows.txt, which the build links by and docs/design.md shows, against the includes.

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "base/file.h"

namespace concertina {
namespace {

const std::filesystem::path kRoot = CONCERTINA_SOURCE_DIR;

std::vector<std::string> matches(const std::string& text, const char* pattern) {
  const std::regex regex(pattern);
  std::vector<std::string> found;
  for (std::sregex_iterator it(text.begin(), text.end(), regex), end; it != end; ++it)
    found.push_back((*it)[1]);
  return found;
}

/// Calls visit(path relative to the root, text) for each C++ file below `folder` of the source tree.
template <typename Visit>
void for_each_source(const char* folder, Visit visit) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kRoot / folder)) {
    const auto extension = entry.path().extension();
    if (extension != ".h" && extension != ".cc") continue;
    visit(entry.path().lexically_relative(kRoot), *read_file(entry.path()));
  }
}

using Arrows = std::map<std::string, std::set<std::string>>;

/// The lines of src/arrows.txt that are no comment.
std::string arrow_lines() {
  std::istringstream file(*read_file(kRoot / "src/arrows.txt"));
  std::string lines;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with('#')) lines += line + "\n";
  }
  return lines;
}

/// Which folders each folder may include, as src/arrows.txt has it; it must name a folder before those that
/// include it.
Arrows read_arrows() {
  Arrows arrows;
  std::istringstream lines(arrow_lines());
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line.substr(line.find(':') + 1));
    std::set<std::string> seen;
    for (std::string other; words >> other;) {
      EXPECT_TRUE(arrows.contains(other)) << line << ": " << other << " must stand above";
      seen.insert(other);
    }
    arrows[line.substr(0, line.find(':'))] = seen;
  }
  return arrows;
}

/// The folder whose promise an include is: "graph/graph.h" of graph, "concertina/session.h" of runtime.
std::string owner_of(const std::string& included) {
  static const std::map<std::string, std::string> kPublicHeaders = {
      {"concertina/result.h", "base"},         {"concertina/subnet.h", "base"},
      {"concertina/precision.h", "base"},      {"concertina/machine_state.h", "base"},
      {"concertina/model.h", "runtime"},       {"concertina/session.h", "runtime"},
      {"concertina/plan_rules.h", "slo"},      {"concertina/adaptive_session.h", "control"},
      {"concertina/scheduler.h", "scheduler"}, {"concertina/cascade_session.h", "cascade"},
      {"concertina/concertina.h", "capi"}};
  const auto found = kPublicHeaders.find(included);
  return found == kPublicHeaders.end() ? included.substr(0, included.find('/')) : found->second;
}

bool is_test(const std::filesystem::path& path) {
  return path.filename().string().ends_with("_test.cc") || path.filename().string().ends_with("_bench.cc") ||
         path.filename().string().ends_with("testing.h");
}

// Also that no arrow is allowed which nothing goes along: the file says what is.
TEST(Architecture, IncludesGoAlongTheArrows) {
  const Arrows arrows = read_arrows();
  Arrows used;
  for_each_source("src", [&](const std::filesystem::path& path, const std::string& text) {
    const std::string folder = std::next(path.begin())->string();
    ASSERT_TRUE(arrows.contains(folder)) << path << ": add the new folder to src/arrows.txt";
    for (const std::string& included : matches(text, "#include \"([a-z]+/[^\"]+)\"")) {
      const std::string other = owner_of(included);
      if (other == folder || !arrows.contains(other)) continue;
      if (other == "testing" && is_test(path)) continue;
      EXPECT_TRUE(arrows.at(folder).contains(other)) << path << " includes " << included;
      used[folder].insert(other);
    }
  });
  for (const auto& [folder, others] : arrows) EXPECT_EQ(used[folder], others) << folder;
}

TEST(Architecture, TheDesignShowsTheArrows) {
  const std::string design = *read_file(kRoot / "docs/design.md");
  EXPECT_NE(design.find("```\n" + arrow_lines() + "```"), std::string::npos)
      << "docs/design.md must show these lines:\n"
      << arrow_lines();
}

TEST(Architecture, PublicHeadersSeeNothingInside) {
  for_each_source("include", [&](const std::filesystem::path& path, const std::string& text) {
    for (const std::string& included : matches(text, "#include \"([^\"]+)\"")) {
      EXPECT_TRUE(included.starts_with("concertina/")) << path << " includes " << included;
    }
  });
}

// Each heavy library is behind one folder; tests write the files that it reads.
TEST(Architecture, LibrariesStayInTheirFolders) {
  const std::map<std::string, std::set<std::string>> owners = {
      {"torch/", {"train"}}, {"ATen/", {"train"}}, {"hwy/", {"kernels"}}, {"google/protobuf", {"onnx"}},
      {"jpeglib", {"data"}}, {"png.h", {"data"}},  {"toml++/", {"base"}}};
  for_each_source("src", [&](const std::filesystem::path& path, const std::string& text) {
    const std::string folder = std::next(path.begin())->string();
    for (const std::string& included : matches(text, "#include [<\"]([^\">]+)[>\"]")) {
      for (const auto& [library, homes] : owners) {
        if (!included.starts_with(library) || folder == "testing") continue;
        EXPECT_TRUE(homes.contains(folder)) << path << " includes " << included;
      }
    }
  });
}

// A container or taskset may leave the process fewer processors than the machine has: usable_cores() knows.
TEST(Architecture, NobodyCountsTheMachinesProcessors) {
  for (const char* folder : {"src", "apps"}) {
    for_each_source(folder, [&](const std::filesystem::path& path, const std::string& text) {
      for (const char* function : {"hardware_concurrency", "get_nprocs", "_SC_NPROCESSORS"})
        EXPECT_EQ(text.find(function), text.npos) << path << ": use usable_cores() (base/machine.h)";
    });
  }
}

TEST(Architecture, TheDeviceSideDoesNotSeeTheTrainer) {
  for_each_source("apps/device", [&](const std::filesystem::path& path, const std::string& text) {
    for (const std::string& included : matches(text, "#include [<\"]([a-z]+)/")) {
      EXPECT_NE(included, "train") << path;
      EXPECT_NE(included, "torch") << path;
    }
  });
}

}  // namespace
}  // namespace concertina
