#include "capi/outcome.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace concertina::capi {
namespace {

/// The longest beginning of `text` of at most `most` bytes that cuts no UTF-8 character.
std::string_view cut(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  const auto continues = [&](std::size_t i) { return (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80; };
  while (most > 0 && continues(most)) --most;
  return text.substr(0, most);
}

}  // namespace

Outcome not_null(std::initializer_list<Argument> arguments) {
  for (const auto& [name, value] : arguments) {
    if (value == nullptr) return Outcome::misused(fmt::format("the argument '{}' must not be NULL", name));
  }
  return {};
}

Outcome in_range(const char* what, int index, std::size_t count, const char* owner) {
  if (index >= 0 && static_cast<std::size_t>(index) < count) return {};
  if (count == 0) return Error{fmt::format("there is no {} number {}; the {} has none", what, index, owner)};
  return Error{fmt::format("there is no {} number {}; the {} has 0 to {}", what, index, owner, count - 1)};
}

void write_error(concertina_error* error, std::string_view message) noexcept {
  if (error == nullptr) return;
  const std::string_view fitting = cut(message, sizeof error->message - 1);
  *std::copy(fitting.begin(), fitting.end(), error->message) = '\0';
}

}  // namespace concertina::capi
