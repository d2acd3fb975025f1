#include "latency/latency_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/statistics.h"
#include "concertina/precision.h"
#include "graph/branches.h"
#include "graph/cost.h"
#include "graph/resolution.h"

namespace concertina::latency {
namespace {

/// Where a width lies between measured ones: value = (1 - share) * [low] + share * [high].
struct Place {
  std::size_t low;
  std::size_t high;
  double share;
};

Place place(const std::vector<int>& widths, int width) {
  const auto above = std::lower_bound(widths.begin(), widths.end(), width);
  if (above == widths.end()) return {widths.size() - 1, widths.size() - 1, 0};
  const auto high = static_cast<std::size_t>(above - widths.begin());
  if (high == 0 || *above == width) return {high, high, 0};
  const int left = widths[high - 1];
  return {high - 1, high, static_cast<double>(width - left) / (*above - left)};
}

double interpolated(const LayerLatency& layer, int inputs, int outputs) {
  const Place in = place(layer.inputs, inputs), out = place(layer.outputs, outputs);
  const auto row = [&](std::size_t i) {
    const double* values = layer.milliseconds.data() + i * layer.outputs.size();
    return (1 - out.share) * values[out.low] + out.share * values[out.high];
  };
  return (1 - in.share) * row(in.low) + in.share * row(in.high);
}

/// Of those that the node reads.
double share_of_pixels(const Graph& small, const Graph& whole, NodeId id) {
  const NodeId input = id < whole.inputs() ? id : whole.node(id).inputs[0];
  return static_cast<double>(small.shape(input).elements()) /
         static_cast<double>(whole.shape(input).elements());
}

const double* find_value(const std::map<std::string, double>& values, const std::string& name) {
  const auto found = values.find(name);
  return found == values.end() ? nullptr : &found->second;
}

bool may_shrink(const Graph& graph, NodeId id) {
  const ChannelAxis& axis = graph.axis(id);
  return std::any_of(axis.begin(), axis.end(), [&](const Segment& segment) {
    return segment.dimension < graph.layout().free_dimensions;
  });
}

}  // namespace

int timed_outputs(int active, int vector, int most) {
  if (2 * active <= vector) return std::min(active, most);
  return std::min((active + vector - 1) / vector * vector, most);
}

TimeQuantiles TimeQuantiles::of(std::vector<double> milliseconds) {
  std::array<double, kLevels.size()> times;
  for (std::size_t i = 0; i < times.size(); ++i) times[i] = quantile(milliseconds, kLevels[i]);
  return TimeQuantiles(times);
}

double TimeQuantiles::at(double level) const {
  const auto above = std::lower_bound(kLevels.begin(), kLevels.end(), level);
  if (above == kLevels.begin()) return milliseconds_.front();
  if (above == kLevels.end()) return milliseconds_.back();
  const auto high = static_cast<std::size_t>(above - kLevels.begin());
  const double share = (level - kLevels[high - 1]) / (kLevels[high] - kLevels[high - 1]);
  return (1 - share) * milliseconds_[high - 1] + share * milliseconds_[high];
}

Status LatencyTable::check_layers(const Graph& graph) const {
  const Subnet full = full_subnet(graph);
  std::size_t found = 0;
  for (NodeId id = graph.inputs(); id < graph.size(); ++id) {
    const std::int64_t macs = macs_of(graph, id, full);
    if (macs == 0) continue;
    const auto layer = layers.find(graph.node(id).name);
    if (layer == layers.end()) {
      return Error{fmt::format("the latency table has no layer '{}'; it was measured on another network",
                               graph.node(id).name)};
    }
    const std::int64_t measured = layer->second.macs;
    found += measured > 0 ? 1 : 0;
    if (measured == 0 || measured == macs || !may_shrink(graph, id)) continue;
    return Error{
        fmt::format("layer '{}' of the latency table has {} multiply-accumulates where the network's has {}; "
                    "it was measured on another network",
                    graph.node(id).name, measured, macs)};
  }
  const auto counted = static_cast<std::size_t>(
      std::count_if(layers.begin(), layers.end(), [](const auto& layer) { return layer.second.macs > 0; }));
  if (found == counted) return {};
  return Error{
      fmt::format("the latency table has {} layers where the network has {}; it was measured on "
                  "another network",
                  counted, found)};
}

double LatencyTable::layer_sum(const Graph& graph, const Subnet& subnet) const {
  double sum = fixed_milliseconds;
  const std::vector<bool> absent = absent_nodes(graph, subnet);
  const Graph small = at_resolution(graph, subnet.resolution).value();
  const auto measured = resolutions.find(subnet.resolution);
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (absent[id]) continue;
    const Node& node = graph.node(id);
    const auto layer = layers.find(node.name);
    const double* there = measured == resolutions.end() ? nullptr : find_value(measured->second, node.name);
    if (layer == layers.end()) {
      sum += there ? *there : 0;
      continue;
    }
    const auto at = [&](const Subnet& one) {
      const NodeId input = node.inputs.empty() ? id : node.inputs[0];
      const int outputs = active_shape(graph, id, one).channels;
      return interpolated(layer->second, active_shape(graph, input, one).channels,
                          timed_outputs(outputs, conditions.vector, graph.shape(id).channels));
    };
    const double share = there ? *there / at(full_subnet(graph)) : share_of_pixels(small, graph, id);
    sum += share * at(subnet);
  }
  return sum;
}

std::string describe_layers(const LatencyTable& table) {
  const auto& [cpu, instruction_set, cores, governor] = table.machine;
  std::string text = cpu.empty() ? "an unknown machine" : cpu;
  if (!instruction_set.empty()) text += ", " + instruction_set;
  if (cores > 0) text += fmt::format(", {} core{}", cores, cores == 1 ? "" : "s");
  if (!governor.empty()) text += ", governor " + governor;
  const auto& [batch, threads, vector] = table.conditions;
  return fmt::format("{}, {}, batch {}, {} thread{}", text, name_of(table.precision), batch, threads,
                     threads == 1 ? "" : "s");
}

const TimeQuantiles* LatencyTable::find(const Subnet& subnet, int batch, int threads) const {
  const auto found = std::find_if(subnets.begin(), subnets.end(), [&](const SubnetLatency& one) {
    return one.batch == batch && one.threads == threads && one.subnet == subnet;
  });
  return found == subnets.end() ? nullptr : &found->times;
}

}  // namespace concertina::latency
