#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "graph/network.h"
#include "onnx/constant.h"
#include "onnx/network_file.h"
#include "onnx/op_from_onnx.h"
#include "onnx/view.h"

namespace concertina::onnx {

/// What a node of the graph makes, as ONNX sees it.
struct OnnxValue {
  NodeId id = 0;
  Shape shape;                // of the node
  int rank = 4;               // of the node: 4, a map, or 2, a vector
  std::int64_t segments = 1;  // of its channel axis
  View view = View::map({});
  std::optional<Shape> spread = {};  // an Expand repeats it to this shape, once something reads it

  /// Whether it lies as a Graph's values do.
  bool settled() const { return !spread && (view.is_map() || view.is_vector()); }
};

/// The name of an ONNX node, or of its first output if it has none.
const std::string& name_of(const onnx::NodeProto& node);

/// A graph that grows as the nodes of an ONNX file are read: its nodes, their arrays, and the names by which
/// later nodes know values and constants. Every method that fails says why without the node's name.
class GraphAssembly {
 public:
  /// `most_values`: of all arrays together. `exact`: the file is our own, so nodes stay as they are.
  GraphAssembly(std::int64_t most_values, bool exact) : values_left_(most_values), exact_(exact) {}

  std::int64_t values_left() const { return values_left_; }
  bool is_exact() const { return exact_; }
  bool empty() const { return nodes_.empty(); }

  const OnnxValue* find_value(const std::string& name) const;
  const Constant* find_constant(const std::string& name) const;

  Status add_constant(const std::string& name, Constant constant);
  Status add_value(const std::string& name, const OnnxValue& value);

  /// The same for a further name of a node's value. If it is an output of the network, the node is called
  /// like it, unless it is another output already.
  Status add_alias(const std::string& name, const OnnxValue& value);

  /// Fails if all axes together have too many segments.
  Status spend_segments(std::int64_t segments);

  /// A value that is known outside under `value` is an output of the network under `output`; its node takes
  /// that name.
  void name_output(const std::string& value, const std::string& output) {
    output_names_.emplace(value, output);
  }
  const std::string* output_name(const std::string& value) const;
  void count_reader(const std::string& value) { ++readers_[value]; }

  /// The arrays of what is added next come from these constants, in their order. Nodes of one kind that take
  /// an equal array from the same constant share it. Exporters also merge arrays that are equal by chance:
  /// those that are the same for every channel are shared only by nodes that share other arrays or follow
  /// nodes that do.
  void take_from(const std::vector<Constant>& constants);

  /// A sentence on an array of the file that several channels share and the network's do not.
  void add_untied(std::string sentence) {
    values_left_ -= static_cast<std::int64_t>(sentence.size());
    untied_.push_back(std::move(sentence));
  }

  /// The value of the node that is added next.
  OnnxValue made(const Shape& shape, int rank, std::int64_t segments) const;

  /// Appends the node and makes its value known as `output`. The node is called `name`, or like the output of
  /// the network that it is.
  Status add_node(const std::string& name, const Op& op, std::vector<NodeId> inputs, const OnnxValue& value,
                  const std::string& output);

  /// The same for an op with its arrays, whose value follows from those that it reads.
  Status add_op(const std::string& name, OpWithArrays op, const std::vector<OnnxValue>& values,
                const std::string& output);

  /// The same for an op that computes every value, channel or pixel by itself: the layout in which ONNX sees
  /// the values stays. Fails if they have different ones; a value may be repeated along axes of the first.
  Status add_in_layout(const onnx::NodeProto& node, OpWithArrays op, const std::vector<OnnxValue>& values);

  /// A name for a value that no node of the file knows.
  std::string hidden_name(const std::string& stem) const;

  /// Adds an array to a value; if the value is of a layer without a bias and only read here, as its bias.
  Status add_constant_to(const onnx::NodeProto& node, const OnnxValue& value, Array array);

  /// A value in a new layout: if the graph knows it, a node makes it so; otherwise it waits for the next
  /// turn.
  Status settle(const onnx::NodeProto& node, OnnxValue value);

  /// The same for a node that is not understood: an op::Opaque.
  Status add_opaque(const NotUnderstood& what, const Shape& shape, std::vector<NodeId> inputs,
                    const OnnxValue& value, const std::string& output);

  const std::vector<NotUnderstood>& opaque() const { return opaque_; }

  /// The network that gives the values of these nodes, without the nodes and arrays that none of them needs;
  /// functions that an exporter wrote in several nodes become one. Fails if the graph is not sound. Ends the
  /// assembly.
  Result<ImportedNetwork> finish(std::vector<NodeId> outputs);

 private:
  Result<std::vector<OnnxValue>> stretch(const std::string& name, std::vector<OnnxValue> pair);
  std::string unique_name(const std::string& wanted, const std::string& output);
  Status spend_values(std::int64_t count);
  bool follow_shared(NodeId id, NodeId other) const;
  NodeId owner_at(NodeId other, NodeId id, const Parameter& parameter, const Array& array) const;
  bool share(NodeId id, int rank, const Parameter& parameter, std::size_t constant, const Array& array);
  Status store_array(NodeId id, int rank, const Parameter& parameter, std::size_t constant, Array array);
  bool joins_bias(const std::string& read, const OnnxValue& value) const;
  void rename(NodeId id, const std::string& output);

  std::int64_t values_left_;
  bool exact_;
  std::int64_t segments_ = 0;
  std::unordered_map<std::string, std::string> output_names_;  ///< by value
  std::unordered_map<std::string, int> readers_;               ///< by value
  std::unordered_map<std::string, Constant> constants_;
  std::unordered_map<std::string, OnnxValue> values_;
  std::unordered_map<NodeId, int> names_of_;  ///< how many names a node's value has
  std::unordered_set<NodeId> outputs_;        ///< nodes that are called like an output
  std::unordered_set<std::string> names_;     ///< of nodes
  std::unordered_map<std::string, int>
      suffixes_;  ///< by name that was asked for twice: the last that was tried
  /// Where an array of a node comes from.
  struct Source {
    const void* origin = nullptr;
    NodeId owner = 0;
  };
  /// The first node that uses a constant.
  struct Use {
    NodeId node = 0;
    int rank = 4;
  };
  std::vector<const void*> origins_;                          ///< of the constants to take from
  std::map<std::pair<NodeId, std::string>, Source> sources_;  ///< by node and parameter
  std::unordered_map<const void*, Use> uses_;                 ///< by constant
  std::unordered_map<NodeId, NodeId> partners_;               ///< the first node that a node shares with
  std::vector<std::string> untied_;
  std::vector<Node> nodes_;
  Weights weights_;
  std::vector<NotUnderstood> opaque_;
};

}  // namespace concertina::onnx
