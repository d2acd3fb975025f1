#include "onnx/int8_export.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/try.h"
#include "onnx/check.h"
#include "onnx/fold_batch_norm.h"
#include "onnx/qdq.h"
#include "onnx/write_onnx.h"

namespace concertina::onnx {
namespace {

/// In weights of convolutions and linear layers, every value becomes the largest magnitude of its row. A
/// prefix of the row still has it, and a batch norm scales it as it scales the row.
Weights row_peaks(const Graph& graph, Weights weights) {
  for (const Node& node : graph.nodes()) {
    if (!std::holds_alternative<op::Conv>(node.op) && !std::holds_alternative<op::Linear>(node.op)) continue;
    const auto found = weights.find(node.name + ".weight");
    if (found == weights.end()) continue;
    auto& [shape, values] = found->second;
    const auto row = static_cast<std::ptrdiff_t>(values.size()) / shape[0];
    for (auto begin = values.begin(); begin != values.end(); begin += row) {
      float peak = 0;
      for (auto at = begin; at != begin + row; ++at) peak = std::max(peak, std::abs(*at));
      std::fill(begin, begin + row, peak);
    }
  }
  return weights;
}

/// By the names of the network whose batch norms were folded: a convolution then makes what its norm made.
Quantizations after_folding(const Graph& before, const Graph& after, Quantizations scales) {
  std::set<std::string_view> left;
  for (const Node& node : after.nodes()) left.insert(node.name);
  for (const Node& node : before.nodes()) {
    if (left.contains(node.name) || !std::holds_alternative<op::BatchNorm>(node.op)) continue;
    const std::string& conv = before.node(node.inputs[0]).name;
    scales.erase(conv);
    if (auto norm = scales.extract(node.name)) {
      norm.key() = conv;
      scales.insert(std::move(norm));
    }
  }
  return scales;
}

Result<onnx::ModelProto> int8_to_onnx(const ModelFile& model, const Subnet& subnet) {
  ASSIGN_OR_RETURN(const SubnetRecord* record, find_subnet(model, subnet));
  RETURN_IF_ERROR(check_calibrated(*record));
  const Graph& graph = model.network.graph;
  const Network part = extract(model.network, subnet, record->own);
  RETURN_IF_ERROR(check_network(part));
  const Network folded = fold_batch_norm(part);
  RETURN_IF_ERROR(check_weights(folded.graph, folded.weights));  // a product may have overflown
  const Network peaks = fold_batch_norm(
      extract({graph, row_peaks(graph, model.network.weights)}, subnet, row_peaks(graph, record->own)));
  return to_qdq_onnx(folded, after_folding(part.graph, folded.graph, record->quantization), peaks.weights);
}

}  // namespace

Result<std::string> export_int8(const ModelFile& model, const Subnet& subnet) {
  ASSIGN_OR_RETURN(const onnx::ModelProto file, int8_to_onnx(model, subnet));
  return serialize(file);
}

Status write_int8(const std::filesystem::path& path, const ModelFile& model, const Subnet& subnet) {
  ASSIGN_OR_RETURN(onnx::ModelProto file, int8_to_onnx(model, subnet));
  return write_onnx(path, std::move(file));
}

}  // namespace concertina::onnx
