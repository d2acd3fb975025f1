#include "runtime/fusion.h"

#include <algorithm>

#include "runtime/pixel_layout.h"
#include "runtime/pointwise.h"
#include "runtime/transposed.h"

namespace concertina::runtime {
namespace {

template <typename... Ops>
bool is(const Op& op) {
  return (std::holds_alternative<Ops>(op) || ...);
}

class ChainFinder {
 public:
  explicit ChainFinder(const Graph& graph)
      : graph_(graph), readers_(static_cast<std::size_t>(graph.size())), taken_(readers_.size(), false) {
    std::vector<bool> live(readers_.size(), false);
    for (const NodeId output : graph.outputs()) {
      live[output] = true;
      readers_[output].push_back(kNone);
    }
    for (NodeId id = graph.size() - 1; id >= 0; --id) {
      if (!live[id]) {
        taken_[id] = true;
        continue;
      }
      for (const NodeId input : graph.node(id).inputs) {
        live[input] = true;
        readers_[input].push_back(id);
      }
    }
  }

  /// Every node alone.
  std::vector<Chain> single() const {
    std::vector<Chain> chains;
    for (NodeId id = 0; id < graph_.size(); ++id) {
      if (!taken_[id]) chains.push_back({.start = id, .end = id});
    }
    return chains;
  }

  std::vector<Chain> find() {
    std::vector<Chain> chains;
    // Of two convolutions that are added, the later one adds: its input is still warm.
    for (NodeId id = graph_.size() - 1; id >= 0; --id) {
      if (is<op::Conv, op::Linear>(graph_.node(id).op)) extend(id, chains);
    }
    for (NodeId id = 0; id < graph_.size(); ++id) extend(id, chains);
    std::sort(chains.begin(), chains.end(), [](const Chain& a, const Chain& b) { return a.end < b.end; });
    return chains;
  }

 private:
  void extend(NodeId start, std::vector<Chain>& chains) {
    if (taken_[start]) return;
    taken_[start] = true;
    Chain chain{.start = start, .end = start};
    const Op& op = graph_.node(start).op;
    const bool layer = is<op::Conv, op::Linear>(op), affine = is<op::BatchNorm, op::Scale, op::Shift>(op);
    if (layer || affine) {
      while (next_is<op::BatchNorm, op::Scale, op::Shift>(chain)) chain.affine.push_back(take_next(chain));
    }
    if (layer && !in_parts(op) && next_is<op::Add>(chain) && adds_alike(sole_reader(chain.end), chain.end)) {
      chain.add = take_next(chain);
    }
    if (layer || affine || is<op::Add, op::Mul>(op)) take_activation(chain);
    if (layer && chain.act == kernels::FusedActivation::none) take_function(chain);
    if (is<op::Activation>(op)) take_gated(chain);
    chains.push_back(chain);
  }

  /// The parts of a transposed convolution run over rows, without a residual.
  static bool in_parts(const Op& op) {
    const auto* conv = std::get_if<op::Conv>(&op);
    return conv != nullptr && has_parts(*conv);
  }

  /// Whether the layer can add what the node adds, channel by channel where they lie. Locked axes may be cut
  /// differently.
  bool adds_alike(NodeId add, NodeId layer) const {
    const auto& inputs = graph_.node(add).inputs;
    const auto laid_out = [&](NodeId id) { return Value{.axis = graph_.axis(id)}; };
    return graph_.shape(inputs[0]) == graph_.shape(inputs[1]) &&
           same_layout(graph_.layout(), laid_out(add), laid_out(layer));
  }

  void take_activation(Chain& chain) {
    if (!next_is<op::Activation>(chain)) return;
    const auto& activation = *std::get_if<op::Activation>(&graph_.node(sole_reader(chain.end)).op);
    if (!activation.is_relu() && !activation.is_relu6()) return;
    chain.act = activation.is_relu() ? kernels::FusedActivation::relu : kernels::FusedActivation::relu6;
    take_next(chain);
  }

  void take_function(Chain& chain) {
    if (const NodeId gate = gate_of(chain.end); gate != kNone) {
      taken_[gate] = true;
      chain.end = sole_reader(gate);
      taken_[chain.end] = true;
      chain.function = {.kind = kernels::PointwiseFunction::Kind::silu};
    } else if (next_is<op::PRelu>(chain)) {
      chain.slopes = take_next(chain);
      chain.function = {.kind = kernels::PointwiseFunction::Kind::prelu};
    } else if (next_is<op::Activation>(chain)) {
      chain.function = pointwise(*std::get_if<op::Activation>(&graph_.node(take_next(chain)).op));
    }
  }

  /// A sigmoid that begins a chain, with the product of what it reads and what it makes.
  void take_gated(Chain& chain) {
    if (!is_gate(chain.start, graph_.node(chain.start).inputs[0])) return;
    take_next(chain);
    chain.function = {.kind = kernels::PointwiseFunction::Kind::silu};
  }

  /// The sigmoid that only the product with its own input reads, if these two are all that read `id`.
  NodeId gate_of(NodeId id) const {
    const auto& readers = readers_[id];
    if (readers.size() != 2) return kNone;
    for (const NodeId gate : readers) {
      if (gate == kNone || taken_[gate] || !is_gate(gate, id)) continue;
      const NodeId product = sole_reader(gate);
      if (product == readers[0] || product == readers[1]) return gate;
    }
    return kNone;
  }

  bool is_gate(NodeId gate, NodeId input) const {
    const auto* activation = std::get_if<op::Activation>(&graph_.node(gate).op);
    if (activation == nullptr || activation->function != op::Function::sigmoid) return false;
    const NodeId product = sole_reader(gate);
    if (product == kNone || taken_[product] || !is<op::Mul>(graph_.node(product).op)) return false;
    const auto& factors = graph_.node(product).inputs;
    return factors[0] == input || factors[1] == input;
  }

  /// kNone as well if the caller of the network reads it.
  NodeId sole_reader(NodeId id) const {
    const auto& readers = readers_[id];
    return readers.size() == 1 ? readers[0] : kNone;
  }

  template <typename... Wanted>
  bool next_is(const Chain& chain) const {
    const NodeId next = sole_reader(chain.end);
    return next != kNone && !taken_[next] && is<Wanted...>(graph_.node(next).op);
  }

  NodeId take_next(Chain& chain) {
    chain.end = sole_reader(chain.end);
    taken_[chain.end] = true;
    return chain.end;
  }

  const Graph& graph_;
  /// Of each live node's value, once for each time it is read; kNone is the network's caller.
  std::vector<std::vector<NodeId>> readers_;
  std::vector<bool> taken_;
};

}  // namespace

std::vector<Chain> find_chains(const Graph& graph, Fusion fusion) {
  ChainFinder finder(graph);
  return fusion == Fusion::none ? finder.single() : finder.find();
}

}  // namespace concertina::runtime
