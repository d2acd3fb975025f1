#include "common/options.h"

#include <fmt/format.h>

#include <charconv>
#include <vector>

namespace concertina::apps {

Result<std::optional<Shape>> parse_shape(const std::string& text) {
  if (text.empty()) return std::optional<Shape>();
  std::vector<int> sizes;
  const char* at = text.data();
  const char* const end = at + text.size();
  bool whole = false;
  while (!whole) {
    int size = 0;
    const auto [next, error] = std::from_chars(at, end, size);
    if (error != std::errc() || size < 1) break;
    sizes.push_back(size);
    whole = next == end;
    if (!whole && *next != 'x') break;
    at = next + 1;
  }
  if (!whole || (sizes.size() != 1 && sizes.size() != 3)) {
    return Error{fmt::format("--input is '{}', which is no shape such as 3x224x224", text)};
  }
  if (sizes.size() == 1) return std::optional(Shape{sizes[0], 1, 1});
  return std::optional(Shape{sizes[0], sizes[1], sizes[2]});
}

}  // namespace concertina::apps
