#include "common/table.h"

#include <fmt/format.h>

#include <algorithm>

namespace concertina::apps {
namespace {

/// Places on a terminal, of UTF-8: "±" is one.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

}  // namespace

std::string format_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], width(row[c]));
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t c = 0; c < row.size(); ++c) {
      line += c < 2 ? fmt::format("{:<{}}  ", row[c], widths[c]) : fmt::format("{:>{}}  ", row[c], widths[c]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

std::string Table::text() const {
  std::vector<std::vector<std::string>> shown(rows_.size() + 1);
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    if (columns_[c].title.empty()) continue;
    shown[0].push_back(columns_[c].title);
    for (std::size_t r = 0; r < rows_.size(); ++r) shown[r + 1].push_back(rows_[r][c].text);
  }
  return format_table(shown);
}

nlohmann::json Table::json() const {
  nlohmann::json list = nlohmann::json::array();
  for (const auto& row : rows_) {
    nlohmann::json& object = list.emplace_back(nlohmann::json::object());
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      if (!columns_[c].key.empty() && row[c].value) object[columns_[c].key] = *row[c].value;
    }
  }
  return list;
}

Table::Cell whole(std::int64_t value) {
  return {std::to_string(value), value};
}

Table::Cell fixed(double value, int digits) {
  return {fmt::format("{:.{}f}", value, digits), value};
}

Table::Cell percent(double share) {
  return {fmt::format("{:.2f} %", 100 * share), share};
}

Table::Cell millions(std::int64_t value) {
  return {fmt::format("{:.2f}", static_cast<double>(value) / 1e6), value};
}

Table::Cell percent_or_dash(std::optional<double> share) {
  return share ? percent(*share) : Table::Cell{"-"};
}

Table::Cell words(std::string text) {
  return {text, text};
}

Table::Cell unseen(nlohmann::json value) {
  return {"", std::move(value)};
}

}  // namespace concertina::apps
