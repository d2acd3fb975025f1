// The include arrows between the folders of src/: who may see whom. docs/design.md draws them.

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <string>

#include "base/file.h"

namespace concertina {
namespace {

const std::map<std::string, std::set<std::string>> kMayInclude = {
    {"base", {}},
    {"capi", {"base", "runtime"}},
    {"data", {"base"}},
    {"graph", {"base"}},
    {"kernels", {"base"}},
    {"onnx", {"base", "graph"}},
    {"peer", {"base"}},
    {"report", {"base"}},
    {"latency", {"base", "graph"}},
    {"search", {"base", "graph", "latency"}},
    {"control", {"base", "graph", "kernels", "latency", "runtime"}},
    {"runtime", {"base", "graph", "kernels", "onnx"}},
    {"train", {"base", "data", "graph", "kernels", "latency", "onnx", "report", "search"}},
};

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
  const std::filesystem::path root = CONCERTINA_SOURCE_DIR;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
    const auto extension = entry.path().extension();
    if (extension != ".h" && extension != ".cc") continue;
    visit(entry.path().lexically_relative(root), *read_file(entry.path()));
  }
}

TEST(Architecture, IncludesPointOneWay) {
  int files = 0;
  for_each_source("src", [&](const std::filesystem::path& path, const std::string& text) {
    ++files;
    const std::string folder = std::next(path.begin())->string();
    ASSERT_TRUE(kMayInclude.contains(folder))
        << path << ": add the new folder to this test and to docs/design.md";
    for (const std::string& other : matches(text, "#include \"([a-z]+)/")) {
      if (other == folder || !kMayInclude.contains(other)) continue;
      EXPECT_TRUE(kMayInclude.at(folder).contains(other)) << path << " includes " << other << "/";
    }
  });
  EXPECT_GT(files, 100);
}

TEST(Architecture, PublicHeadersSeeNothingInside) {
  for_each_source("include", [&](const std::filesystem::path& path, const std::string& text) {
    for (const std::string& included : matches(text, "#include \"([^\"]+)\"")) {
      EXPECT_TRUE(included.starts_with("concertina/")) << path << " includes " << included;
    }
  });
}

// Each heavy library is behind one folder, but for the reader of the two kinds of settings.
TEST(Architecture, LibrariesStayInTheirFolders) {
  const std::map<std::string, std::set<std::string>> owners = {{"torch/", {"train"}},
                                                               {"ATen/", {"train"}},
                                                               {"hwy/", {"kernels"}},
                                                               {"google/protobuf", {"onnx"}},
                                                               {"jpeglib", {"data"}},
                                                               {"png.h", {"data"}},
                                                               {"toml++/", {"train", "control"}}};
  for_each_source("src", [&](const std::filesystem::path& path, const std::string& text) {
    const std::string folder = std::next(path.begin())->string();
    for (const std::string& included : matches(text, "#include [<\"]([^\">]+)[>\"]")) {
      for (const auto& [library, homes] : owners) {
        if (!included.starts_with(library)) continue;
        EXPECT_TRUE(homes.contains(folder)) << path << " includes " << included;
      }
    }
  });
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
