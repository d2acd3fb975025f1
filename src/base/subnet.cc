#include "concertina/subnet.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <new>

#include "base/out_of_memory.h"

namespace concertina {

bool is_nested(const Subnet& inner, const Subnet& outer) {
  if (inner.widths.size() != outer.widths.size()) return false;
  for (std::size_t d = 0; d < inner.widths.size(); ++d) {
    if (inner.widths[d] > outer.widths[d]) return false;
  }
  return true;
}

std::string to_string(const Subnet& subnet) {
  return fmt::format("{}", fmt::join(subnet.widths, "-"));
}

Result<Subnet> parse_subnet(std::string_view text) try {
  Subnet subnet;
  const char* at = text.data();
  const char* end = at + text.size();
  while (true) {
    int width = 0;
    const auto [next, code] = std::from_chars(at, end, width);
    if (code != std::errc{} || width < 0 || (next != end && *next != '-')) {
      return Error{fmt::format("'{}' is not a list of widths; write them like 16-12-32", text)};
    }
    subnet.widths.push_back(width);
    if (next == end) return subnet;
    at = next + 1;
  }
} catch (const std::bad_alloc&) {
  return out_of_memory();
}

}  // namespace concertina
