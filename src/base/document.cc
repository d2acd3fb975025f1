#include "base/document.h"

#include <utility>

namespace concertina {

Document::Text Document::keep(std::string_view text) {
  const Text kept{static_cast<std::uint32_t>(characters.size()), static_cast<std::uint32_t>(text.size())};
  characters += text;
  return kept;
}

void Document::link(Node& node) {
  const auto id = static_cast<std::uint32_t>(nodes.size());
  auto& [parent, last] = open_.back();
  if (std::holds_alternative<List>(nodes[parent].value)) node.key = {nodes[parent].children, 0};
  node.parent = parent;
  (last == 0 ? nodes[parent].first : nodes[last].next) = id;
  last = id;
  ++nodes[parent].children;
}

void Document::refuse(std::string why) {
  nodes.assign(1, {});
  nodes.front().value = Other{};
  status = Error{std::move(why)};
}

}  // namespace concertina
