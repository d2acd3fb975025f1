#include "graph/prune.h"

#include <utility>

namespace concertina {

void prune(std::vector<Node>& nodes, std::vector<NodeId>& outputs, bool inputs_too) {
  std::vector<bool> needed(nodes.size(), false);
  for (const NodeId output : outputs) needed[output] = true;
  for (std::size_t i = nodes.size(); i-- > 0;) {
    if (!inputs_too && std::holds_alternative<op::Input>(nodes[i].op)) needed[i] = true;
    if (!needed[i]) continue;
    for (const NodeId input : nodes[i].inputs) needed[input] = true;
  }
  std::vector<NodeId> moved(nodes.size(), -1);
  std::vector<Node> kept;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (!needed[i]) continue;
    moved[i] = static_cast<NodeId>(kept.size());
    for (NodeId& input : nodes[i].inputs) input = moved[input];
    kept.push_back(std::move(nodes[i]));
  }
  for (NodeId& output : outputs) output = moved[output];
  nodes = std::move(kept);
}

}  // namespace concertina
