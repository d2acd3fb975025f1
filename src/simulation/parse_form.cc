#include "simulation/parse_form.h"

#include <fmt/format.h>

#include <optional>
#include <string>

#include "base/text.h"

namespace concertina::simulation {
namespace {

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t colon = text.find(':');
    parts.push_back(text.substr(0, colon));
    if (colon == std::string_view::npos) return parts;
    text.remove_prefix(colon + 1);
  }
}

std::string usage(const Form& form) {
  std::string text(form.name);
  for (const Form::Number& number : form.numbers) text += fmt::format(":{}", number.what);
  return text;
}

Error unknown_name(std::string_view name, std::span<const Form> forms, std::string_view noun) {
  std::vector<std::string> names;
  for (const Form& form : forms) names.emplace_back(form.name);
  return Error{fmt::format("there is no {} '{}'; did you mean '{}'?", noun, name, nearest_name(name, names))};
}

}  // namespace

Result<ParsedForm> parse_form(std::string_view text, std::span<const Form> forms, std::string_view noun) {
  const std::vector<std::string_view> parts = split(text);
  ParsedForm parsed;
  while (parsed.index < forms.size() && forms[parsed.index].name != parts[0]) ++parsed.index;
  if (parsed.index == forms.size()) return unknown_name(parts[0], forms, noun);
  const Form& form = forms[parsed.index];
  if (parts.size() - 1 > form.numbers.size())
    return Error{fmt::format("'{}' has more numbers than '{}' takes", text, usage(form))};
  for (const Form::Number& number : form.numbers) {
    const std::size_t at = parsed.numbers.size() + 1;
    const auto value = at < parts.size() ? parse_number<double>(parts[at]) : number.value;
    // Written so that NaN fails.
    if (!value || !(*value >= number.low && *value <= number.high)) {
      return Error{fmt::format("'{}': {} of '{}' must be a number from {} to {}", text, number.what,
                               usage(form), number.low, number.high)};
    }
    parsed.numbers.push_back(*value);
  }
  return parsed;
}

}  // namespace concertina::simulation
