#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace concertina::apps {

/// Rows of text in aligned columns, right-aligned but for the first two; the first row is the head. Ends with
/// '\n'.
std::string format_table(const std::vector<std::vector<std::string>>& rows);

/// Rows that are shown to people as a table, or printed as JSON: a list of objects.
class Table {
 public:
  struct Column {
    std::string title;  ///< empty: JSON only
    std::string key;    ///< empty: the table only
  };
  struct Cell {
    std::string text;
    std::optional<nlohmann::json> value = {};  ///< nothing: its object has no such key
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// Precondition: a cell for each column.
  void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }

  std::string text() const;
  nlohmann::json json() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

/// What a cell shows is rounded; in JSON it is the value itself.
Table::Cell whole(std::int64_t value);
Table::Cell fixed(double value, int digits);
Table::Cell percent(double share);                         ///< 0 .. 1, as "93.25 %"
Table::Cell millions(std::int64_t value);                  ///< "12.50"
Table::Cell percent_or_dash(std::optional<double> share);  ///< "-" if there is none, and then no key in JSON
Table::Cell words(std::string text);
Table::Cell unseen(nlohmann::json value);  ///< of a column that is JSON only

}  // namespace concertina::apps
