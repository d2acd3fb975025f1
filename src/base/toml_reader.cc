#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <sstream>
#include <type_traits>

#include "base/document.h"
#include "base/reader.h"
#include "base/text.h"

namespace concertina {
namespace {

void add(Document& document, const toml::node& node) {
  const std::uint32_t line = node.source().begin.line;
  node.visit([&](const auto& value) {
    using Value = std::decay_t<decltype(value)>;
    if constexpr (toml::is_table<Value>) {
      document.open(Document::Table{}, line);
      for (const auto& [key, member] : value) {
        document.key(key.str());
        add(document, member);
      }
      document.close();
    } else if constexpr (toml::is_array<Value>) {
      document.open(Document::List{}, line);
      for (const toml::node& entry : value) add(document, entry);
      document.close();
    } else if constexpr (toml::is_string<Value>) {
      document.add_text(*value, line);
    } else if constexpr (toml::is_number<Value> || toml::is_boolean<Value>) {
      document.add(*value, line);
    } else {
      document.add(Document::Other{}, line);
    }
  });
}

/// TOML's parser destroys nested tables by recursion, and each dot may open one.
Status check_size(std::string_view text) {
  constexpr std::ptrdiff_t kMaxDots = 4096;
  if (text.size() > Reader::kMaxTomlBytes)
    return Error{fmt::format("it is larger than the {} bytes that are read", Reader::kMaxTomlBytes)};
  if (std::count(text.begin(), text.end(), '.') > kMaxDots)
    return Error{fmt::format("it has more than {} dots; make it shorter", kMaxDots)};
  return {};
}

}  // namespace

Reader Reader::of_toml(std::string_view text, std::string_view source) {
  auto document = std::make_shared<Document>();
  document->source = source;
  document->has_lines = text.find('\n') != text.npos;
  document->table_name = "a table";
  try {
    if (const Status small = check_size(text); small) {
      add(*document, toml::parse(text));
    } else {
      document->refuse(small.error().message);
    }
  } catch (const toml::parse_error& e) {
    document->refuse(
        fmt::format("line {}: {}; correct it and run again", e.source().begin.line, shown(e.description())));
  }
  return Reader(std::move(document), 0);
}

std::string to_toml(std::string_view text) {
  std::ostringstream quoted;
  quoted << toml::value<std::string>(std::string(text));
  return quoted.str();
}

}  // namespace concertina
