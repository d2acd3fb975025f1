#pragma once

#include <charconv>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace concertina {

/// The number that the whole text is, written as in C++ source, without blanks or '+'; nothing if it is none,
/// or does not fit.
template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  return code == std::errc{} && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

/// The parts between separators, empty ones left out; views of `text`.
std::vector<std::string_view> split(std::string_view text, char separator);

/// The name with the smallest edit distance to `word`: what a person who mistyped probably meant.
/// Precondition: `names` is not empty.
std::string nearest_name(std::string_view word, std::span<const std::string> names);

/// Text of a file as an error may show it: short, and without control characters.
std::string shown(std::string_view text);

}  // namespace concertina
