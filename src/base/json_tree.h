#pragma once

#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

namespace concertina {

/// Owns a parsed JSON value and takes it down without asking for memory. nlohmann's destructor of arrays and
/// objects does ask, and where there is none it ends the process, which a library may not.
template <typename Json>
class JsonTree {
 public:
  explicit JsonTree(Json root) : root_(std::move(root)) {}
  JsonTree(JsonTree&&) noexcept = default;
  JsonTree& operator=(JsonTree&&) = delete;
  ~JsonTree() { take_down(std::move(root_)); }

  const Json& operator*() const { return root_; }
  const Json* operator->() const { return &root_; }

 private:
  /// Goes down along each last child, which meanwhile holds the way back up: JSON that others wrote may be
  /// too deep for recursion.
  static void take_down(Json current) noexcept {
    Json parent;
    for (;;) {
      if (current.is_structured() && !current.empty()) {
        Json& last = last_of(current);
        Json next = std::exchange(last, std::move(parent));
        parent = std::move(current);
        current = std::move(next);
      } else if (parent.is_structured()) {
        current = std::move(parent);
        parent = std::move(last_of(current));
        drop_last(current);
      } else {
        return;
      }
    }
  }

  static Json& last_of(Json& value) {
    if (value.is_array()) return value.back();
    return std::prev(value.template get_ref<typename Json::object_t&>().end())->second;
  }

  static void drop_last(Json& value) {
    if (value.is_array()) {
      value.template get_ref<typename Json::array_t&>().pop_back();
    } else {
      auto& members = value.template get_ref<typename Json::object_t&>();
      members.erase(std::prev(members.end()));
    }
  }

  Json root_;
};

}  // namespace concertina
