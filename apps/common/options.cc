#include "common/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace concertina::apps {

Result<std::optional<Shape>> parse_shape(const std::string& text) {
  if (text.empty()) return std::optional<Shape>();
  std::vector<int> sizes;
  bool right = true;
  for (std::string_view rest = text; right && !rest.empty();) {
    const std::size_t end = std::min(rest.find('x'), rest.size());
    sizes.push_back(parse_number<int>(rest.substr(0, end)).value_or(0));
    right = sizes.back() >= 1 && end + 1 != rest.size();
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (!right || (sizes.size() != 1 && sizes.size() != 3)) {
    return Error{fmt::format("--input is '{}', which is no shape such as 3x224x224", text)};
  }
  if (sizes.size() == 1) return std::optional(Shape{sizes[0], 1, 1});
  return std::optional(Shape{sizes[0], sizes[1], sizes[2]});
}

}  // namespace concertina::apps
