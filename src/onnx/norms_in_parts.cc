#include "onnx/norms_in_parts.h"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "onnx/attributes.h"
#include "onnx/folding.h"

namespace concertina::onnx {
namespace {

class NormFinder {
 public:
  NormFinder(const onnx::GraphProto& graph, const std::vector<std::string_view>& raw_data) : graph_(graph) {
    for (int i = 0; i < graph.initializer_size(); ++i)
      constants_.try_emplace(graph.initializer(i).name(), TensorView{&graph.initializer(i), raw_data[i]});
    for (int i = 0; i < graph.node_size(); ++i) {
      const onnx::NodeProto& node = graph.node(i);
      for (const std::string& input : node.input()) readers_[input].push_back(i);
      if (node.output_size() != 1) continue;
      const bool tensor =
          node.op_type() == "Constant" && node.attribute_size() == 1 && node.attribute(0).has_t();
      if (tensor) {
        const onnx::TensorProto& value = node.attribute(0).t();
        constants_.try_emplace(node.output(0), TensorView{&value, value.raw_data()});
      } else {
        makers_.try_emplace(node.output(0), i);
      }
    }
    for (const onnx::ValueInfoProto& output : graph.output()) outputs_.insert(output.name());
  }

  std::vector<NormInParts> run() {
    std::vector<NormInParts> found;
    std::unordered_set<int> taken;
    for (int i = 0; i < graph_.node_size(); ++i) {
      std::optional<NormInParts> norm = norm_at(i);
      if (!norm) continue;
      add_constants(*norm);
      std::sort(norm->nodes.begin(), norm->nodes.end());
      norm->nodes.erase(std::unique(norm->nodes.begin(), norm->nodes.end()), norm->nodes.end());
      const auto is_taken = [&](int node) { return taken.contains(node); };
      if (!closed(norm->nodes) || std::any_of(norm->nodes.begin(), norm->nodes.end(), is_taken)) continue;
      taken.insert(norm->nodes.begin(), norm->nodes.end());
      found.push_back(std::move(*norm));
    }
    return found;
  }

 private:
  /// The node that makes the value, if it is of the type and reads so many.
  const onnx::NodeProto* maker(const std::string& value, const char* type, int inputs,
                               NormInParts& norm) const {
    const auto found = makers_.find(value);
    if (found == makers_.end()) return nullptr;
    const onnx::NodeProto& node = graph_.node(found->second);
    if (node.op_type() != type || node.input_size() != inputs) return nullptr;
    norm.nodes.push_back(found->second);
    return &node;
  }

  std::optional<std::vector<double>> constant(const std::string& name, std::size_t most) const {
    const auto found = constants_.find(name);
    if (found == constants_.end()) return std::nullopt;
    std::int64_t count = 1;
    for (const std::int64_t size : found->second.proto->dims()) {
      if (size < 0 || size > static_cast<std::int64_t>(most)) return std::nullopt;
      count *= size;
    }
    if (count > static_cast<std::int64_t>(most)) return std::nullopt;
    const auto tensor = read_folded(found->second);
    return tensor ? std::optional(tensor->values) : std::nullopt;
  }

  bool is_number(const std::string& name, double wanted) const {
    const auto values = constant(name, 1);
    return values && values->size() == 1 && (*values)[0] == wanted;
  }

  /// What a mean is of, over which axes; its dimensions stay.
  const std::string* mean(const std::string& value, NormInParts& norm) const {
    const onnx::NodeProto* node = maker(value, "ReduceMean", 1, norm);
    std::vector<std::int64_t> axes;
    if (node) {
      axes = Attributes(*node).list("axes");
    } else if ((node = maker(value, "ReduceMean", 2, norm)) != nullptr) {
      constexpr std::size_t kMostAxes = 8;
      for (const double axis : constant(node->input(1), kMostAxes).value_or(std::vector<double>()))
        axes.push_back(static_cast<std::int64_t>(axis));
    }
    if (!node || axes.empty() || Attributes(*node).integer("keepdims", 1) == 0) return nullptr;
    if (norm.axes.empty()) norm.axes = axes;
    return norm.axes == axes ? &node->input(0) : nullptr;
  }

  /// Whether the value is x without its mean.
  bool is_centred(const std::string& value, NormInParts& norm) const {
    const onnx::NodeProto* node = maker(value, "Sub", 2, norm);
    if (!node) return false;
    const std::string* x = mean(node->input(1), norm);
    if (norm.x.empty()) norm.x = node->input(0);
    return x && *x == norm.x && node->input(0) == norm.x;
  }

  /// Whether it is the root of the mean of its squares and of epsilon.
  bool is_deviation(const std::string& value, NormInParts& norm) const {
    const onnx::NodeProto* root = maker(value, "Sqrt", 1, norm);
    const onnx::NodeProto* sum = root ? maker(root->input(0), "Add", 2, norm) : nullptr;
    if (!sum) return false;
    for (const int i : {0, 1}) {
      const auto epsilon = constant(sum->input(1 - i), 1);
      if (!epsilon || epsilon->size() != 1) continue;
      norm.epsilon = static_cast<float>((*epsilon)[0]);
      const std::string* squares = mean(sum->input(i), norm);
      return squares && is_square(*squares, norm);
    }
    return false;
  }

  bool is_square(const std::string& value, NormInParts& norm) const {
    if (const onnx::NodeProto* power = maker(value, "Pow", 2, norm))
      return is_number(power->input(1), 2) && is_centred(power->input(0), norm);
    const onnx::NodeProto* product = maker(value, "Mul", 2, norm);
    return product && product->input(0) == product->input(1) && is_centred(product->input(0), norm);
  }

  /// 1 / deviation
  bool is_inverse(const std::string& value, NormInParts& norm) const {
    if (const onnx::NodeProto* inverse = maker(value, "Reciprocal", 1, norm))
      return is_deviation(inverse->input(0), norm);
    const onnx::NodeProto* quotient = maker(value, "Div", 2, norm);
    return quotient && is_number(quotient->input(0), 1) && is_deviation(quotient->input(1), norm);
  }

  /// x * factor and bias - mean * factor, the factor being weight / deviation: so Keras writes it.
  bool is_shifted(const std::string& product, const std::string& rest, NormInParts& norm) const {
    const onnx::NodeProto* scaled = maker(product, "Mul", 2, norm);
    const onnx::NodeProto* difference = scaled ? maker(rest, "Sub", 2, norm) : nullptr;
    if (!difference || !constants_.contains(difference->input(0))) return false;
    const onnx::NodeProto* shift = maker(difference->input(1), "Mul", 2, norm);
    for (const int i : {0, 1, 2, 3}) {
      const int in_product = i / 2, in_shift = i % 2;
      if (!shift || scaled->input(in_product) != shift->input(in_shift)) continue;
      norm.x = scaled->input(1 - in_product);
      norm.bias = difference->input(0);
      const std::string* x = mean(shift->input(1 - in_shift), norm);
      return x && *x == norm.x && is_factor(scaled->input(in_product), norm);
    }
    return false;
  }

  /// 1 / deviation, perhaps times a constant.
  bool is_factor(const std::string& value, NormInParts& norm) const {
    const onnx::NodeProto* product = maker(value, "Mul", 2, norm);
    if (!product) return is_inverse(value, norm);
    const int i = constants_.contains(product->input(0)) ? 0 : 1;
    norm.weight = product->input(i);
    return constants_.contains(norm.weight) && is_inverse(product->input(1 - i), norm);
  }

  std::optional<NormInParts> norm_at(int i) const {
    const onnx::NodeProto& node = graph_.node(i);
    if (node.input_size() != 2 || node.output_size() != 1) return std::nullopt;
    NormInParts divided{.nodes = {i}};
    if (node.op_type() == "Div" && is_centred(node.input(0), divided) && is_deviation(node.input(1), divided))
      return divided;
    for (const int centred : {0, 1}) {
      NormInParts norm{.nodes = {i}};
      if (node.op_type() == "Mul" && is_centred(node.input(centred), norm) &&
          is_inverse(node.input(1 - centred), norm))
        return norm;
    }
    for (const int product : {0, 1}) {
      NormInParts norm{.nodes = {i}};
      if (node.op_type() == "Add" && is_shifted(node.input(product), node.input(1 - product), norm))
        return norm;
    }
    return std::nullopt;
  }

  /// The only node that reads what the norm's last node makes, if it also reads a constant.
  const onnx::NodeProto* next(const NormInParts& norm, const char* type, std::string& name,
                              int& number) const {
    const std::string& value = graph_.node(norm.nodes[0]).output(0);
    const auto readers = readers_.find(value);
    if (outputs_.contains(value) || readers == readers_.end() || readers->second.size() != 1) return nullptr;
    number = readers->second[0];
    const onnx::NodeProto& node = graph_.node(number);
    if (node.op_type() != type || node.input_size() != 2 || node.output_size() != 1) return nullptr;
    name = node.input(node.input(0) == value ? 1 : 0);
    return constants_.contains(name) ? &node : nullptr;
  }

  /// A scale and a shift behind it. Precondition: its first node makes the result.
  void add_constants(NormInParts& norm) const {
    if (!norm.weight.empty() || !norm.bias.empty()) return;
    int number = 0;
    std::string name;
    if (!next(norm, "Mul", name, number)) return;
    norm.weight = name;
    norm.nodes.insert(norm.nodes.begin(), number);
    if (!next(norm, "Add", name, number)) return;
    norm.bias = name;
    norm.nodes.insert(norm.nodes.begin(), number);
  }

  /// Whether all but the last of the nodes are read by each other only.
  bool closed(const std::vector<int>& nodes) const {
    return std::all_of(nodes.begin(), nodes.end() - 1, [&](int node) {
      const std::string& value = graph_.node(node).output(0);
      const std::vector<int>& readers = readers_.at(value);
      return !outputs_.contains(value) && std::all_of(readers.begin(), readers.end(), [&](int reader) {
        return std::binary_search(nodes.begin(), nodes.end(), reader);
      });
    });
  }

  const onnx::GraphProto& graph_;
  std::unordered_map<std::string, TensorView> constants_;
  std::unordered_map<std::string, int> makers_;
  std::unordered_map<std::string, std::vector<int>> readers_;
  std::unordered_set<std::string> outputs_;
};

}  // namespace

std::vector<NormInParts> find_norms(const onnx::GraphProto& graph,
                                    const std::vector<std::string_view>& raw_data) {
  return NormFinder(graph, raw_data).run();
}

}  // namespace concertina::onnx
