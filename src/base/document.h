#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "concertina/result.h"

namespace concertina {

/// What a file holds, as a tree of nodes in one piece: no destructor of its parts asks for memory or calls
/// itself. Parsers build it in the order of the text; Reader reads it.
struct Document {
  struct Null {};
  struct Text {
    std::uint32_t begin = 0;  ///< in characters
    std::uint32_t size = 0;
  };
  struct List {};
  struct Table {};
  struct Other {};  ///< nothing that is read, such as a date

  struct Node {
    std::variant<Null, bool, std::int64_t, double, Text, List, Table, Other> value;
    Text key;  ///< in a list its number is key.begin
    std::uint32_t line = 0;
    std::uint32_t parent = 0;
    std::uint32_t first = 0;  ///< of its children; 0: none
    std::uint32_t next = 0;   ///< child of its parent; 0: none
    std::uint32_t children = 0;
  };

  std::vector<Node> nodes;  ///< the first is the whole
  std::string characters;
  std::string source;                         ///< begins the errors, if it is not empty
  bool has_lines = false;                     ///< that errors name
  std::string_view table_name = "an object";  ///< in this language
  Status status;

  /// Adds a value below the list or table that is open; `key` is its name in a table.
  template <typename Value>
  void add(const Value& value, std::uint32_t line = 0) {
    Node node;
    node.value = value;
    node.key = key_;
    node.line = line;
    if (!open_.empty()) link(node);
    nodes.push_back(node);
  }
  void add_text(std::string_view text, std::uint32_t line = 0) { add(keep(text), line); }
  void key(std::string_view name) { key_ = keep(name); }
  /// What is added goes into this until it is closed.
  template <typename Value>
  void open(const Value& list_or_table, std::uint32_t line = 0) {
    add(list_or_table, line);
    open_.push_back({static_cast<std::uint32_t>(nodes.size() - 1), 0});
  }
  void close() { open_.pop_back(); }

  /// Nothing in it can be read.
  void refuse(std::string why);

  std::string_view view(Text text) const {
    return std::string_view(characters).substr(text.begin, text.size);
  }

 private:
  struct Open {
    std::uint32_t node;
    std::uint32_t last;  ///< child so far; 0: none
  };

  Text keep(std::string_view text);
  void link(Node& node);

  std::vector<Open> open_;
  Text key_;
};

}  // namespace concertina
