#include "latency/prediction.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/statistics.h"
#include "graph/branches.h"
#include "graph/cost.h"
#include "graph/network.h"
#include "graph/resolution.h"

namespace concertina::latency {
namespace {

double weights_of(const Graph& graph, NodeId id, const Subnet& subnet) {
  double count = 0;
  for (const Parameter& parameter : parameters_of(graph.node(id).op)) {
    double values = 1;
    for (const int size : active_sizes(graph, id, parameter, subnet)) values *= size;
    count += values;
  }
  return count;
}

}  // namespace

PredictionError PredictionError::of(std::span<const double> predicted, std::span<const double> measured) {
  std::vector<double> errors;
  for (std::size_t i = 0; i < measured.size(); ++i)
    errors.push_back(std::abs(predicted[i] / measured[i] - 1));
  return {
      .median = quantile(errors, 0.5),
      .worst = *std::max_element(errors.begin(), errors.end()),
      .rank_correlation = spearman({predicted.begin(), predicted.end()}, {measured.begin(), measured.end()})};
}

double roofline_ms(const Roofline& machine, const Graph& whole, const Subnet& subnet, int batch) {
  const Graph graph = at_resolution(whole, subnet.resolution).value();
  double sum = 0;
  const std::vector<bool> absent = absent_nodes(graph, subnet);
  for (NodeId id = graph.inputs(); id < graph.size(); ++id) {
    if (absent[id]) continue;
    const std::int64_t macs = macs_of(graph, id, subnet);
    if (macs == 0) continue;
    const auto input = static_cast<double>(active_shape(graph, graph.node(id).inputs[0], subnet).elements());
    const auto output = static_cast<double>(active_shape(graph, id, subnet).elements());
    const double operations = 2.0 * batch * static_cast<double>(macs);
    const double bytes = 4 * (batch * (input + output) + weights_of(graph, id, subnet));
    sum += std::max(operations / machine.gflops, bytes / machine.gbytes_per_second) * 1e-6;
  }
  return sum;
}

}  // namespace concertina::latency
