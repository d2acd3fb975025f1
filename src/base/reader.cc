#include "base/reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <new>

#include "base/document.h"
#include "base/out_of_memory.h"
#include "base/text.h"

namespace concertina {
namespace {

std::string number_in(Range range) {
  if (range.low == kPositive.low) return "a positive number";
  if (range.low == Range{}.low) return "a number";
  if (range.high == Range{}.high) return fmt::format("a number of at least {:g}", range.low);
  return fmt::format("a number from {:g} to {:g}", range.low, range.high);
}

bool is_in(double number, Range range) {
  return number >= range.low && number <= range.high;
}

}  // namespace

template <typename Kind>
const Kind* Reader::get() const {
  return *this ? std::get_if<Kind>(&document_->nodes[node_].value) : nullptr;
}

bool Reader::is_null() const {
  return get<Document::Null>() != nullptr;
}

bool Reader::is_text() const {
  return get<Document::Text>() != nullptr;
}

bool Reader::is_table() const {
  return get<Document::Table>() != nullptr;
}

std::string Reader::key() const {
  return std::string(document_->view(document_->nodes[node_].key));
}

std::vector<Reader> Reader::children() const {
  std::vector<Reader> readers;
  readers.reserve(document_->nodes[node_].children);
  for (std::uint32_t i = document_->nodes[node_].first; i != 0; i = document_->nodes[i].next)
    readers.push_back(Reader(document_, i));
  return readers;
}

Reader Reader::operator[](std::string_view key) const {
  std::uint32_t found = 0;
  if (is_table()) {
    for (std::uint32_t i = document_->nodes[node_].first; i != 0; i = document_->nodes[i].next) {
      if (document_->view(document_->nodes[i].key) == key) found = i;
    }
  }
  if (found != 0) return Reader(document_, found);
  return Reader(document_, node_, *this ? std::string(key) : fmt::format("{}.{}", missing_, key));
}

std::vector<Reader> Reader::members() const {
  if (is_table()) return children();
  must_be(document_->table_name);
  return {};
}

std::vector<Reader> Reader::entries(std::size_t least, std::size_t most) const {
  const bool is_list = get<Document::List>() != nullptr;
  const std::size_t count = is_list ? document_->nodes[node_].children : 0;
  if (is_list && count >= least && count <= most) return children();
  must_be(least == most ? fmt::format("a list of {}", most)
          : most == kAnyNumber
              ? fmt::format("a list{}", least > 0 ? fmt::format(" of at least {}", least) : "")
          : least == 0 ? fmt::format("a list of at most {}", most)
                       : fmt::format("a list of {} to {}", least, most));
  return {};
}

bool Reader::boolean() const {
  if (const bool* value = get<bool>()) return *value;
  must_be("true or false");
  return false;
}

double Reader::number(Range range) const {
  if (const double* value = get<double>(); value && is_in(*value, range)) return *value;
  if (const std::int64_t* value = get<std::int64_t>(); value && is_in(static_cast<double>(*value), range))
    return static_cast<double>(*value);
  must_be(number_in(range));
  return 0;
}

std::int64_t Reader::whole_in(Range range) const {
  if (const std::int64_t* value = get<std::int64_t>(); value && is_in(static_cast<double>(*value), range))
    return *value;
  must_be(fmt::format("a whole number from {:.0f} to {:.0f}", range.low, range.high));
  return 0;
}

std::string Reader::text() const {
  if (const Document::Text* value = get<Document::Text>()) return std::string(document_->view(*value));
  must_be("text in quotes");
  return {};
}

Subnet Reader::subnet() const {
  if (const Document::Text* value = get<Document::Text>()) {
    Result<Subnet> subnet = parse_subnet(document_->view(*value));
    if (subnet) return *std::move(subnet);
    if (is_out_of_memory(subnet.error())) throw std::bad_alloc();
  }
  must_be("a list of widths such as \"16-12-32\" or \"16-12-32@24\"");
  return {};
}

std::size_t Reader::index_of(std::span<const std::string_view> names) const {
  std::string near;
  if (const Document::Text* value = get<Document::Text>()) {
    const std::string_view name = document_->view(*value);
    const auto found = std::find(names.begin(), names.end(), name);
    if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
    const std::vector<std::string> words(names.begin(), names.end());
    near = fmt::format("; did you mean '{}'?", nearest_name(shown(name), words));
  }
  must_be(fmt::format("one of {}{}", fmt::join(names, ", "), near));
  return 0;
}

void Reader::allow_only(const std::vector<std::string>& keys) const {
  for (const Reader& member : members()) {
    const std::string key = member.key();
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) member.no_such_key(key, keys);
  }
}

void Reader::check_format(std::string_view key, int version, std::string_view what,
                          std::string_view verb) const {
  const Reader format = (*this)[key];
  if (!format) {
    document_->status = Error{fmt::format("it is not a {}; make one with {}", what, verb)};
    return;
  }
  const double* number = format.get<double>();
  const std::int64_t* whole = format.get<std::int64_t>();
  if ((number && *number == version) || (whole && *whole == version)) return;
  note(fmt::format("the {} has a format that this version does not read", what));
}

void Reader::must_be(std::string_view what) const {
  const Reader parent(document_, node_);
  if (!*this && !parent.is_table()) return parent.must_be(document_->table_name);
  note(fmt::format("{} {}must be {}", place(), *this ? "" : "is missing; it ", what));
}

void Reader::fail(std::string_view what) const {
  note(node_ == 0 && *this ? std::string(what) : fmt::format("{}: {}", place(), what));
}

void Reader::no_such_key(std::string_view name, const std::vector<std::string>& keys) const {
  note(fmt::format("there is no key '{}'; did you mean '{}'?", place(), nearest_name(shown(name), keys)));
}

std::string Reader::place() const {
  std::vector<std::string> parts;
  if (!*this) parts.push_back("." + shown(missing_));
  for (std::uint32_t i = node_; i != 0; i = document_->nodes[i].parent) {
    const Document::Node& node = document_->nodes[i];
    const bool in_list = std::holds_alternative<Document::List>(document_->nodes[node.parent].value);
    parts.push_back(in_list ? fmt::format("[{}]", node.key.begin) : "." + shown(document_->view(node.key)));
  }
  std::string place;
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) place += *part;
  if (place.empty()) return "it";
  return place.starts_with('.') ? place.substr(1) : place;
}

void Reader::note(std::string_view sentence) const {
  if (!document_->status) return;
  const std::uint32_t line = document_->has_lines && node_ != 0 ? document_->nodes[node_].line : 0;
  document_->status = Error{line > 0 ? fmt::format("line {}: {}", line, sentence) : std::string(sentence)};
}

Status Reader::status() const {
  if (document_->status || document_->source.empty()) return document_->status;
  return Error{fmt::format("{}: {}", document_->source, document_->status.error().message)};
}

}  // namespace concertina
