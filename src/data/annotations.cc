#include "data/annotations.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "base/text.h"
#include "data/files.h"

namespace concertina::data {

Result<Annotations> parse_annotations(std::string_view text, const std::vector<std::string>& classes) {
  Annotations by_class(classes.size());
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    const std::size_t end = line.find('\t');
    const std::string name = line.substr(0, end);
    const std::string label =
        end == std::string::npos ? "" : line.substr(end + 1, line.find_first_of("\t\r", end + 1) - end - 1);
    const auto found = std::lower_bound(classes.begin(), classes.end(), label);
    if (found == classes.end() || *found != label || !is_image(name) ||
        std::filesystem::path(name).has_parent_path()) {
      return Error{fmt::format("the line '{}' names no image and a class of train/; correct or remove it",
                               shown(line))};
    }
    by_class[static_cast<std::size_t>(found - classes.begin())].push_back(name);
  }
  for (std::size_t label = 0; label < classes.size(); ++label) {
    if (by_class[label].empty())
      return Error{fmt::format("it has no image of the class '{}'", classes[label])};
  }
  return by_class;
}

}  // namespace concertina::data
