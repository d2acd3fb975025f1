#pragma once

#include <toml++/toml.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "concertina/result.h"

namespace concertina {

/// The smallest and the largest value that a number may have.
struct Range {
  double low;
  double high;
};

/// Reads the keys of one table of a file that is not trusted, and remembers the first thing that is wrong.
class TomlReader {
 public:
  /// Anything but a table is wrong. `place` names it, such as "[[hard]]"; empty at the top of the file.
  TomlReader(const toml::node& node, std::string_view place);

  /// Wrong unless all keys are among these; the error offers the nearest.
  void allow_only(std::span<const std::string> keys);

  /// Nothing if the key is absent or wrong.
  std::optional<double> number(std::string_view key, Range range);
  std::optional<int> whole_number(std::string_view key, Range range);
  std::optional<std::string> text(std::string_view key);
  /// An index of `names`.
  std::optional<std::size_t> one_of(std::string_view key, std::span<const std::string_view> names);
  /// Nothing also if the key has something else than tables, [[key]], or more than `most`, which is wrong.
  const toml::array* tables(std::string_view key, std::size_t most);

  bool has(std::string_view key) const { return table_ != nullptr && table_->contains(key); }

  /// Notes, unless something was wrong before, what is wrong with the table.
  void fail(std::string_view what);
  /// The first that was.
  const Status& status() const { return status_; }

 private:
  const toml::node* find(std::string_view key) const;
  void fail_at(const toml::node& node, std::string_view what);

  const toml::node& node_;
  const toml::table* table_;
  std::string place_;
  Status status_;
};

/// Text of a file as an error may show it: short, and without control characters.
std::string shown(std::string_view text);

}  // namespace concertina
