#include "runtime/calibration.h"

#include <fmt/format.h>

#include <vector>

#include "graph/branches.h"

namespace concertina::runtime {

std::function<bool(NodeId layer)> calibrated_layers(const onnx::ModelFile& file) {
  const Graph& graph = file.network.graph;
  std::vector<bool> tensors(static_cast<std::size_t>(graph.size()), true);
  for (const onnx::SubnetRecord& record : file.subnets) {
    const std::vector<bool> absent = absent_nodes(graph, record.subnet);
    for (NodeId id = 0; id < graph.size(); ++id) {
      const auto i = static_cast<std::size_t>(id);
      if (!absent[i] && !record.quantization.contains(graph.node(id).name)) tensors[i] = false;
    }
  }
  return [&graph, tensors](NodeId layer) {
    const std::vector<NodeId>& inputs = graph.node(layer).inputs;
    return !inputs.empty() && tensors[static_cast<std::size_t>(inputs[0])];
  };
}

Status check_calibrated(const onnx::ModelFile& file) {
  for (const onnx::SubnetRecord& record : file.subnets) {
    if (!record.quantization.empty()) continue;
    return Error{fmt::format(
        "the model's sub-net {} has no scales for int8; run `concertina-train quantize` on the model first",
        to_string(record.subnet))};
  }
  return {};
}

}  // namespace concertina::runtime
