#include "concertina/subnet.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <new>
#include <optional>

#include "base/out_of_memory.h"

namespace concertina {

bool is_nested(const Subnet& inner, const Subnet& outer) {
  if (inner.widths.size() != outer.widths.size()) return false;
  for (std::size_t d = 0; d < inner.widths.size(); ++d) {
    if (inner.widths[d] > outer.widths[d]) return false;
  }
  return outer.resolution == 0 || (inner.resolution > 0 && inner.resolution <= outer.resolution);
}

std::string to_string(const Subnet& subnet) {
  const std::string widths = fmt::format("{}", fmt::join(subnet.widths, "-"));
  return subnet.resolution == 0 ? widths : fmt::format("{}@{}", widths, subnet.resolution);
}

Result<Subnet> parse_subnet(std::string_view text) try {
  const auto malformed = [&] {
    return Error{
        fmt::format("'{}' is not a sub-net; write its widths like 16-12-32, or, with the resolution, "
                    "like 16-12-32@24",
                    text)};
  };
  Subnet subnet;
  const char* at = text.data();
  const char* end = at + text.size();
  const auto number = [&](int least) -> std::optional<int> {
    int value = 0;
    const auto [next, code] = std::from_chars(at, end, value);
    if (code != std::errc{} || value < least) return std::nullopt;
    at = next;
    return value;
  };
  while (true) {
    const std::optional<int> width = number(0);
    if (!width) return malformed();
    subnet.widths.push_back(*width);
    if (at == end || *at != '-') break;
    ++at;
  }
  if (at == end) return subnet;
  if (*at++ != '@') return malformed();
  const std::optional<int> resolution = number(1);
  if (!resolution || at != end) return malformed();
  subnet.resolution = *resolution;
  return subnet;
} catch (const std::bad_alloc&) {
  return out_of_memory();
}

}  // namespace concertina
