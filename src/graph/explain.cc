#include "graph/explain.h"

#include <algorithm>

#include "graph/cost.h"
#include "graph/network.h"

namespace concertina {
namespace {

bool reads_channels(const Graph& graph, NodeId id) {
  const std::vector<Parameter> list = parameters_of(graph.node(id).op);
  return std::any_of(list.begin(), list.end(), [](const Parameter& parameter) {
    return std::find(parameter.axes.begin(), parameter.axes.end(), ParameterAxis::input_channels) !=
           parameter.axes.end();
  });
}

}  // namespace

std::vector<DimensionReport> explain(const Graph& graph) {
  const ChannelLayout& layout = graph.layout();
  std::vector<DimensionReport> reports;
  for (std::size_t d = 0; d < layout.dimensions.size(); ++d) {
    reports.push_back(
        {.dimension = static_cast<int>(d), .makers = layout.dimensions[d].producers, .readers = {}});
  }
  for (NodeId id = graph.inputs(); id < graph.size(); ++id) {
    if (!reads_channels(graph, id)) continue;
    for (const Segment& segment : graph.axis(graph.node(id).inputs[0])) {
      std::vector<NodeId>& readers = reports[segment.dimension].readers;
      if (readers.empty() || readers.back() != id) readers.push_back(id);
    }
  }
  const Subnet full = full_subnet(graph);
  const Cost whole = cost(graph, full);
  for (std::size_t d = 0; d < full.widths.size(); ++d) {
    Subnet narrow = full;
    narrow.widths[d] = 1;
    const Cost rest = cost(graph, narrow);
    reports[d].macs = whole.macs - rest.macs;
    reports[d].parameters = whole.parameters - rest.parameters;
  }
  return reports;
}

}  // namespace concertina
