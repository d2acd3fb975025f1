#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "concertina/result.h"
#include "concertina/subnet.h"

namespace concertina {

struct Document;

/// The smallest and the largest value that a number may have.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
};

/// More than 0, and finite.
inline constexpr Range kPositive{std::numeric_limits<double>::denorm_min(),
                                 std::numeric_limits<double>::max()};

/// A value of a JSON or TOML file that is not trusted, and the way to those below it. Reading never stops:
/// what is missing, of another kind or out of its range is 0, false, empty or the first name, and the first
/// such mistake is the status() of every reader of the file, with its place: "line 3: search.groups must be a
/// whole number from 1 to 64". Nothing that was read may be used before status() is asked.
///
/// Copies are cheap and keep the file alive. Taking it down asks for no memory and is no recursion, however
/// deep it is. For one thread at a time.
class Reader {
 public:
  /// The whole of a file; a text that is no JSON is the first mistake.
  static Reader of_json(std::string_view text);

  /// The same of TOML. Errors begin with `source` and, if there are several, name the line.
  static Reader of_toml(std::string_view text, std::string_view source);
  static constexpr std::size_t kMaxTomlBytes = 1 << 16;

  /// It is there.
  explicit operator bool() const { return missing_.empty(); }
  bool is_null() const;
  bool is_text() const;
  bool is_table() const;
  /// Its name in the table that it is in.
  std::string key() const;

  /// A member of a table (JSON: object). Of several with this name, the last.
  Reader operator[](std::string_view key) const;
  std::vector<Reader> members() const;
  /// Those of a list, which must have `least` to `most` of them.
  std::vector<Reader> entries(std::size_t least = 0, std::size_t most = kAnyNumber) const;

  bool boolean() const;
  double number(Range range = {}) const;
  template <typename Whole = int>
  Whole whole(Range range = {0, static_cast<double>(std::numeric_limits<Whole>::max())}) const {
    return static_cast<Whole>(whole_in(range));
  }
  std::string text() const;
  /// Written like 16-12-32.
  Subnet subnet() const;
  /// The value whose name it is; `names` has them in the order of the values.
  template <typename Enum>
  Enum one_of(std::span<const std::string_view> names) const {
    return static_cast<Enum>(index_of(names));
  }

  /// The same of what may be left out.
  double number_or(double absent, Range range = {}) const { return *this ? number(range) : absent; }
  int whole_or(int absent, Range range = {0, std::numeric_limits<int>::max()}) const {
    return *this ? whole(range) : absent;
  }
  std::string text_or(std::string_view absent) const { return *this ? text() : std::string(absent); }

  /// It is a mistake unless ...
  /// ... every member is one of these; the error offers the nearest.
  void allow_only(const std::vector<std::string>& keys) const;
  /// ... `key` says that the file is a `what` of this version; the error says which verb of the programs
  /// makes one.
  void check_format(std::string_view key, int version, std::string_view what, std::string_view verb) const;

  /// It is a mistake: ...
  /// ... "PLACE must be a positive number"
  void must_be(std::string_view what) const;
  /// ... "PLACE: it bounds accuracy a second time"
  void fail(std::string_view what) const;
  /// ... "there is no key 'PLACE'; did you mean 'KEY'?", that of the keys which is nearest to `name`
  void no_such_key(std::string_view name, const std::vector<std::string>& keys) const;

  /// The first mistake of the file.
  Status status() const;

 private:
  static constexpr std::size_t kAnyNumber = std::numeric_limits<std::size_t>::max();

  Reader(std::shared_ptr<Document> document, std::uint32_t node, std::string_view missing = {})
      : document_(std::move(document)), node_(node), missing_(missing) {}

  /// Null if it is missing or something else.
  template <typename Kind>
  const Kind* get() const;
  std::vector<Reader> children() const;
  std::int64_t whole_in(Range range) const;
  std::size_t index_of(std::span<const std::string_view> names) const;
  std::string place() const;
  void note(std::string_view sentence) const;

  std::shared_ptr<Document> document_;
  std::uint32_t node_;   ///< it, or the one that lacks it
  std::string missing_;  ///< the name that it would have
};

/// A text as TOML has it, in quotes.
std::string to_toml(std::string_view text);

}  // namespace concertina
