#include "graph/branches.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/try.h"
#include "graph/resolution.h"

namespace concertina {
namespace {

// Bounds the work that a strange network can ask for: nodes that find_branches() may look at.
constexpr std::size_t kMaxVisits = std::size_t{1} << 26;

bool is_output(const Graph& graph, NodeId id) {
  return std::find(graph.outputs().begin(), graph.outputs().end(), id) != graph.outputs().end();
}

/// Spreads absence from dimensions over nodes: to a node that has lost its inputs, or whose readers are all
/// absent, and to a dimension whose makers are.
class Absence {
 public:
  Absence(const Graph& graph, const std::vector<std::vector<NodeId>>& readers)
      : graph_(graph),
        readers_(readers),
        absent_(readers.size()),
        lost_inputs_(readers.size()),
        lost_readers_(readers.size()),
        lost_dimensions_(graph.layout().dimensions.size()) {}

  void remove(int dimension) {
    for (const NodeId id : graph_.layout().dimensions[dimension].producers) lose(id);
  }

  /// What is absent then.
  Result<Branch> spread() {
    for (std::size_t next = 0; next < branch_.nodes.size(); ++next) {
      const NodeId id = branch_.nodes[next];
      if (is_output(graph_, id)) return Error{fmt::format("the output '{}' needs it", name(id))};
      lose_dimensions(id);
      for (const NodeId reader : readers_[id]) lose_input(reader);
      for (const NodeId input : graph_.node(id).inputs) lose_reader(input);
    }
    std::sort(branch_.nodes.begin(), branch_.nodes.end());
    std::sort(branch_.dimensions.begin(), branch_.dimensions.end());
    if (!branch_.nodes.empty() && branch_.nodes[0] < graph_.inputs())
      return Error{fmt::format("nothing else reads the input '{}'", name(branch_.nodes[0]))};
    RETURN_IF_ERROR(check_what_stays());
    branch_.skipped = is_skipped();
    return std::move(branch_);
  }

 private:
  void lose(NodeId id) {
    if (absent_[id]) return;
    absent_[id] = true;
    branch_.nodes.push_back(id);
  }

  void lose_dimensions(NodeId id) {
    const ChannelLayout& layout = graph_.layout();
    for (const Segment& segment : graph_.axis(id)) {
      const int d = segment.dimension;
      if (d >= layout.free_dimensions || lost_dimensions_[d]) continue;
      const std::vector<NodeId>& producers = layout.dimensions[d].producers;
      lost_dimensions_[d] =
          std::all_of(producers.begin(), producers.end(), [&](NodeId one) { return absent_[one]; });
      if (lost_dimensions_[d]) branch_.dimensions.push_back(d);
    }
  }

  void lose_input(NodeId id) {
    if (++lost_inputs_[id] == graph_.node(id).inputs.size()) {
      lose(id);
    } else if (lost_inputs_[id] == 1) {
      cut_.push_back(id);
    }
  }

  void lose_reader(NodeId id) {
    if (++lost_readers_[id] == readers_[id].size() && !is_output(graph_, id)) lose(id);
  }

  /// Only a sum can do without an operand, and only if the other one has its shape.
  Status check_what_stays() const {
    for (const NodeId id : cut_) {
      if (absent_[id]) continue;
      const Node& node = graph_.node(id);
      if (!std::holds_alternative<op::Add>(node.op)) return Error{fmt::format("'{}' needs it", node.name)};
      if (is_output(graph_, id)) return Error{fmt::format("the sum '{}' is an output", node.name)};
      const NodeId left = node.inputs[absent_[node.inputs[0]] ? 1 : 0];
      if (graph_.shape(left) != graph_.shape(id))
        return Error{fmt::format("the sum '{}' gets its size from it", node.name)};
    }
    for (NodeId id = 0; id < graph_.size(); ++id) {
      if (absent_[id]) continue;
      for (const auto& [parameter, owner] : graph_.node(id).tied) {
        const auto is_owner = [&, &name = owner](NodeId one) { return graph_.node(one).name == name; };
        if (std::any_of(branch_.nodes.begin(), branch_.nodes.end(), is_owner))
          return Error{fmt::format("'{}' uses the weights of '{}'", name(id), owner)};
      }
    }
    return {};
  }

  /// Whether what is left of each sum was read by what is absent.
  bool is_skipped() const {
    return std::all_of(cut_.begin(), cut_.end(), [&](NodeId sum) {
      if (absent_[sum]) return true;
      const std::vector<NodeId>& inputs = graph_.node(sum).inputs;
      const std::vector<NodeId>& readers = readers_[inputs[absent_[inputs[0]] ? 1 : 0]];
      return std::any_of(readers.begin(), readers.end(), [&](NodeId id) { return absent_[id]; });
    });
  }

  const std::string& name(NodeId id) const { return graph_.node(id).name; }

  const Graph& graph_;
  const std::vector<std::vector<NodeId>>& readers_;
  std::vector<bool> absent_;
  std::vector<std::size_t> lost_inputs_, lost_readers_;  ///< by node
  std::vector<bool> lost_dimensions_;
  std::vector<NodeId> cut_;  ///< have lost an input
  Branch branch_;
};

std::vector<int> empty_dimensions(const Subnet& subnet) {
  std::vector<int> empty;
  for (std::size_t d = 0; d < subnet.widths.size(); ++d) {
    if (subnet.widths[d] == 0) empty.push_back(static_cast<int>(d));
  }
  return empty;
}

/// Whether the op changes nothing of what the other one made.
bool repeats(const Op& op, const Op& before) {
  const auto* activation = std::get_if<op::Activation>(&op);
  return activation && (activation->is_relu() || activation->is_relu6()) && op == before;
}

/// Where reasons and producers are in a graph that has only a part of the nodes.
void renumber(ChannelDimension& dimension, const std::vector<bool>& absent,
              const std::vector<NodeId>& moved) {
  std::erase_if(dimension.producers, [&](NodeId id) { return absent[id]; });
  for (NodeId& id : dimension.producers) id = moved[id];
  for (auto* reasons : {&dimension.couplings, &dimension.locks}) {
    std::erase_if(*reasons, [&](const Reason& reason) { return absent[reason.node]; });
    for (Reason& reason : *reasons) reason.node = moved[reason.node];
  }
}

}  // namespace

Result<Branch> absent_without(const Graph& graph, std::span<const int> dimensions) {
  const auto readers = readers_by_node(graph);
  Absence absence(graph, readers);
  for (const int d : dimensions) absence.remove(d);
  return absence.spread();
}

std::vector<Branch> find_branches(const Graph& graph) {
  const auto readers = readers_by_node(graph);
  std::vector<Branch> branches;
  std::size_t visits = 0;
  for (int d = 0; d < graph.layout().free_dimensions && visits < kMaxVisits; ++d) {
    Absence absence(graph, readers);
    absence.remove(d);
    const Result<Branch> branch = absence.spread();
    visits += readers.size();
    if (!branch) continue;
    if (std::find(branches.begin(), branches.end(), *branch) == branches.end()) branches.push_back(*branch);
  }
  return branches;
}

std::optional<Subnet> leave_out(const Graph& graph, const Subnet& subnet, const Branch& branch) {
  std::vector<int> empty = empty_dimensions(subnet);
  const auto before = empty.size();
  for (const int d : branch.dimensions) {
    if (subnet.widths[d] > 0) empty.push_back(d);
  }
  if (empty.size() == before) return std::nullopt;
  const Result<Branch> all = absent_without(graph, empty);
  if (!all) return std::nullopt;
  Subnet smaller = subnet;
  for (const int d : all->dimensions) smaller.widths[d] = 0;
  return smaller;
}

Subnet keep_depth(const Graph& graph, const Subnet& subnet, double share) {
  std::vector<Branch> branches = find_branches(graph);
  std::sort(branches.begin(), branches.end(),
            [](const Branch& a, const Branch& b) { return a.nodes < b.nodes; });
  std::vector<std::vector<Branch>> stages;
  for (Branch& branch : branches) {
    const Shape& size = graph.shape(branch.nodes.back());  // that of its sum
    const auto stage = std::find_if(stages.begin(), stages.end(), [&](const std::vector<Branch>& one) {
      return graph.shape(one[0].nodes.back()) == size;
    });
    if (stage == stages.end()) {
      stages.push_back({std::move(branch)});
    } else {
      stage->push_back(std::move(branch));
    }
  }
  Subnet shallow = subnet;
  for (const std::vector<Branch>& stage : stages) {
    const double kept = std::ceil(share * static_cast<double>(stage.size()));
    for (auto i = static_cast<std::size_t>(std::max(kept, 1.0)); i < stage.size(); ++i)
      shallow = leave_out(graph, shallow, stage[i]).value_or(shallow);
  }
  return shallow;
}

std::vector<bool> absent_nodes(const Graph& graph, const Subnet& subnet) {
  std::vector<bool> absent(static_cast<std::size_t>(graph.size()));
  const std::vector<int> empty = empty_dimensions(subnet);
  if (empty.empty()) return absent;
  const Result<Branch> branch = absent_without(graph, empty);
  if (!branch) return absent;
  for (const NodeId id : branch->nodes) absent[id] = true;
  return absent;
}

Graph variant(const Graph& whole, const Subnet& subnet) {
  Graph graph = at_resolution(whole, subnet.resolution).value();
  if (empty_dimensions(subnet).empty()) return graph;
  const std::vector<bool> absent = absent_nodes(graph, subnet);
  Graph part = graph;
  part.nodes_.clear();
  part.shapes_.clear();
  part.layout_.axes.clear();
  std::vector<NodeId> moved(absent.size(), -1);  // which node of `part` has its value
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (absent[id]) continue;
    Node node = graph.node(id);
    std::erase_if(node.inputs, [&](NodeId input) { return absent[input]; });
    const bool lost = node.inputs.size() < graph.node(id).inputs.size();
    for (NodeId& input : node.inputs) input = moved[input];
    const bool needed = is_output(graph, id) || id < graph.inputs();
    if (lost || (!needed && repeats(node.op, part.node(node.inputs[0]).op))) {
      moved[id] = node.inputs[0];
      continue;
    }
    moved[id] = part.size();
    part.nodes_.push_back(std::move(node));
    part.shapes_.push_back(graph.shape(id));
    part.layout_.axes.push_back(graph.axis(id));
  }
  for (ChannelDimension& dimension : part.layout_.dimensions) renumber(dimension, absent, moved);
  for (NodeId& output : part.outputs_) output = moved[output];
  return part;
}

}  // namespace concertina
