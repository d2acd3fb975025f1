#include "runtime/fusion.h"

#include <algorithm>

namespace concertina::runtime {
namespace {

template <typename... Ops>
bool is(const Op& op) {
  return (std::holds_alternative<Ops>(op) || ...);
}

class Fusion {
 public:
  explicit Fusion(const Graph& graph)
      : graph_(graph), readers_(static_cast<std::size_t>(graph.size())), taken_(readers_.size(), false) {
    std::vector<bool> live(readers_.size(), false);
    live.back() = true;
    for (NodeId id = graph.output(); id >= 0; --id) {
      if (!live[static_cast<std::size_t>(id)]) {
        taken_[static_cast<std::size_t>(id)] = true;
        continue;
      }
      for (const NodeId input : graph.node(id).inputs) {
        live[static_cast<std::size_t>(input)] = true;
        readers_[static_cast<std::size_t>(input)].push_back(id);
      }
    }
  }

  std::vector<Chain> find() {
    std::vector<Chain> chains;
    // Of two convolutions that are added, the later one adds: its input is still warm.
    for (NodeId id = graph_.output(); id >= 0; --id) {
      if (is<op::Conv, op::Linear>(graph_.node(id).op)) extend(id, chains);
    }
    for (NodeId id = 0; id < graph_.size(); ++id) extend(id, chains);
    std::sort(chains.begin(), chains.end(), [](const Chain& a, const Chain& b) { return a.end < b.end; });
    return chains;
  }

 private:
  void extend(NodeId start, std::vector<Chain>& chains) {
    if (taken_[static_cast<std::size_t>(start)]) return;
    taken_[static_cast<std::size_t>(start)] = true;
    Chain chain{.start = start, .end = start};
    if (is<op::Conv, op::Linear>(graph_.node(start).op)) {
      if (next_is<op::BatchNorm>(chain)) chain.norm = take_next(chain);
      if (next_is<op::Add>(chain)) chain.add = take_next(chain);
    }
    if (is<op::Conv, op::Linear, op::BatchNorm, op::Add>(graph_.node(start).op)) {
      if (next_is<op::Relu>(chain)) {
        chain.act = kernels::Activation::kRelu;
        take_next(chain);
      } else if (next_is<op::Relu6>(chain)) {
        chain.act = kernels::Activation::kRelu6;
        take_next(chain);
      }
    }
    chains.push_back(chain);
  }

  NodeId sole_reader(NodeId id) const {
    const auto& readers = readers_[static_cast<std::size_t>(id)];
    return readers.size() == 1 ? readers[0] : kNone;
  }

  template <typename Wanted>
  bool next_is(const Chain& chain) const {
    const NodeId next = sole_reader(chain.end);
    return next != kNone && !taken_[static_cast<std::size_t>(next)] && is<Wanted>(graph_.node(next).op);
  }

  NodeId take_next(Chain& chain) {
    chain.end = sole_reader(chain.end);
    taken_[static_cast<std::size_t>(chain.end)] = true;
    return chain.end;
  }

  const Graph& graph_;
  std::vector<std::vector<NodeId>> readers_;  ///< of each live node's value, once for each time it is read
  std::vector<bool> taken_;
};

}  // namespace

std::vector<Chain> find_chains(const Graph& graph) {
  return Fusion(graph).find();
}

}  // namespace concertina::runtime
