#include "runtime/calibration.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/try.h"
#include "graph/branches.h"

namespace concertina::runtime {

std::function<bool(NodeId layer)> calibrated_layers(const onnx::ModelFile& file) {
  const Graph& graph = file.network.graph;
  std::vector<bool> can(static_cast<std::size_t>(graph.size()));
  if (check_calibrated(file)) {
    std::set<std::string> without;  // layers that some sub-net runs on a tensor without a scale
    for (const onnx::SubnetRecord& record : file.subnets) {
      const Graph running = variant(graph, record.subnet);  // what a layer reads depends on what is left out
      for (const Node& node : running.nodes()) {
        if (!node.inputs.empty() && !record.quantization.contains(running.node(node.inputs[0]).name))
          without.insert(node.name);
      }
    }
    for (NodeId id = 0; id < graph.size(); ++id) {
      const Node& node = graph.node(id);
      can[static_cast<std::size_t>(id)] = !node.inputs.empty() && !without.contains(node.name);
    }
  }
  return [can = std::move(can)](NodeId layer) { return can[static_cast<std::size_t>(layer)]; };
}

Status check_calibrated(const onnx::ModelFile& file) {
  for (const onnx::SubnetRecord& record : file.subnets) RETURN_IF_ERROR(onnx::check_calibrated(record));
  return {};
}

}  // namespace concertina::runtime
