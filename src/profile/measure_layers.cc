#include "profile/measure_layers.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/statistics.h"
#include "base/try.h"
#include "graph/cost.h"
#include "graph/resolution.h"
#include "kernels/layout.h"
#include "latency/prediction.h"
#include "profile/layer_times.h"
#include "profile/probe_subnets.h"
#include "runtime/timing_model.h"

namespace concertina::profile {
namespace {

constexpr int kScaling = 12, kHeldOut = 24;
constexpr std::uint64_t kScalingSeed = 4, kHeldOutSeed = 5;

double median(const std::vector<double>& values) {
  return quantile(values, 0.5);
}

/// What a run takes that nobody disturbs: of few runs on a busy machine the lower quartile tells more than
/// the median; on a quiet one they are the same.
double typical(const std::vector<double>& times) {
  return quantile(times, 0.25);
}

/// So many widths of each dimension that there is time for some rounds.
int width_count(const Graph& graph, const LayerOptions& options) {
  constexpr double kRounds = 6, kRunsOfEach = 3, kMeanSize = 0.45, kShareOfRoofline = 0.5;
  const double full =
      latency::roofline_ms(options.machine, graph, full_subnet(graph), options.batch) / kShareOfRoofline;
  int count = 6;
  const auto lower = static_cast<double>(resolutions(graph).size());
  while (count > 3 &&
         (1.5 * count * count + kScaling + kHeldOut + lower) * kRounds * kRunsOfEach * kMeanSize * full >
             1e3 * options.seconds)
    --count;
  return count;
}

/// What was measured: sub-nets whose layers make the grids, the full network at lower resolutions, sub-nets
/// that the sums are held against, and those that predictions are judged by, one after the other.
struct Measured {
  const Graph& graph;
  const LayerTimes& times;
  std::vector<Subnet> subnets;
  std::size_t grid_end = 0;
  std::size_t resolutions_end = 0;
  std::size_t scale_end = 0;

  double run(std::size_t i) const { return typical(times.of(i).runs); }

  /// Its time follows its output alone: it is no convolution or linear layer, or the channels before it are
  /// those behind it.
  bool follows_output(NodeId id) const {
    if (macs_of(graph, id, full_subnet(graph)) == 0) return true;
    const int free = graph.layout().free_dimensions;
    const ChannelAxis &before = graph.axis(graph.node(id).inputs[0]), &behind = graph.axis(id);
    return behind.size() == 1 && behind[0].dimension < free &&
           std::all_of(before.begin(), before.end(), [&](const Segment& segment) {
             return segment.dimension >= free || segment.dimension == behind[0].dimension;
           });
  }

  latency::LayerLatency layer(NodeId id, int vector) const {
    const NodeId input = id < graph.inputs() ? id : graph.node(id).inputs[0];
    const int most = graph.shape(id).channels;
    std::vector<LayerSample> samples;
    for (std::size_t i = 0; i < grid_end; ++i) {
      const auto found = times.of(i).nodes.find(id);
      if (found == times.of(i).nodes.end()) continue;
      const int outputs = active_shape(graph, id, subnets[i]).channels;
      samples.push_back({.inputs = active_shape(graph, input, subnets[i]).channels,
                         .outputs = latency::timed_outputs(outputs, vector, most),
                         .milliseconds = typical(found->second)});
    }
    latency::LayerLatency layer = grid_of(samples, follows_output(id));
    layer.macs = macs_of(graph, id, full_subnet(graph));
    return layer;
  }
};

void fill(const Measured& measured, latency::LatencyTable& table) {
  std::vector<double> others;
  std::set<NodeId> nodes;  // some sub-nets have steps that others do without
  for (std::size_t i = 0; i < measured.grid_end; ++i) {
    others.push_back(typical(measured.times.of(i).others));
    for (const auto& [id, list] : measured.times.of(i).nodes) nodes.insert(id);
  }
  table.fixed_milliseconds = median(others);
  table.layers.clear();
  for (const NodeId id : nodes)
    table.layers[measured.graph.node(id).name] = measured.layer(id, table.conditions.vector);
  table.resolutions.clear();
  for (std::size_t i = measured.grid_end; i < measured.resolutions_end; ++i) {
    std::map<std::string, double>& there = table.resolutions[measured.subnets[i].resolution];
    for (const auto& [id, list] : measured.times.of(i).nodes)
      there[measured.graph.node(id).name] = typical(list);
  }
}

/// Makes sums of layers what runs of random sub-nets take: the clock is read after every step, and a small
/// layer is faster between small neighbours, which leave it its place in the caches.
void scale(const Measured& measured, latency::LatencyTable& table) {
  std::vector<double> ratios;
  for (std::size_t i = measured.resolutions_end; i < measured.scale_end; ++i)
    ratios.push_back(measured.run(i) / table.layer_sum(measured.graph, measured.subnets[i]));
  const double ratio = median(ratios);
  table.fixed_milliseconds *= ratio;
  for (auto& [name, layer] : table.layers) {
    for (double& ms : layer.milliseconds) ms *= ratio;
  }
  for (auto& [resolution, nodes] : table.resolutions) {
    for (auto& [name, ms] : nodes) ms *= ratio;
  }
}

/// How far the times of odd rounds are from those of even ones.
double noise_of(const std::vector<double>& runs) {
  std::vector<double> halves[2];
  for (std::size_t i = 0; i < runs.size(); ++i) halves[i % 2].push_back(runs[i]);
  return halves[1].empty() ? 0 : std::abs(typical(halves[0]) / typical(halves[1]) - 1);
}

latency::PredictionQuality quality(const Measured& measured, const latency::Roofline& machine,
                                   const latency::LatencyTable& table) {
  std::vector<double> factors;
  for (std::size_t i = measured.resolutions_end; i < measured.scale_end; ++i) {
    factors.push_back(measured.run(i) / static_cast<double>(cost(measured.graph, measured.subnets[i]).macs));
  }
  const double factor = median(factors);
  std::vector<double> runs, sums, roofline, macs, noise;
  for (std::size_t i = measured.scale_end; i < measured.subnets.size(); ++i) {
    const Subnet& subnet = measured.subnets[i];
    runs.push_back(measured.run(i));
    noise.push_back(noise_of(measured.times.of(i).runs));
    sums.push_back(table.layer_sum(measured.graph, subnet));
    roofline.push_back(latency::roofline_ms(machine, measured.graph, subnet, table.conditions.batch));
    macs.push_back(factor * static_cast<double>(cost(measured.graph, subnet).macs));
  }
  return {.subnets = static_cast<int>(runs.size()),
          .noise = median(noise),
          .layer_sums = latency::PredictionError::of(sums, runs),
          .roofline = latency::PredictionError::of(roofline, runs),
          .macs = latency::PredictionError::of(macs, runs),
          .machine = machine};
}

/// Every third one at a lower resolution, where there is any.
std::vector<Subnet> at_some_resolutions(std::vector<Subnet> subnets, const std::vector<int>& lower) {
  for (std::size_t i = 2; i < subnets.size() && !lower.empty(); i += 3)
    subnets[i].resolution = lower[i / 3 % lower.size()];
  return subnets;
}

void append(std::vector<Subnet> more, std::vector<Subnet>& subnets) {
  for (Subnet& subnet : more) subnets.push_back(std::move(subnet));
}

}  // namespace

Status measure_layers(Network network, const LayerOptions& options, const Clock& clock, Progress& progress,
                      latency::LatencyTable& table) {
  const Graph graph = network.graph;
  const int vector = kernels::vector_lanes();
  std::vector<Subnet> subnets = covering_subnets(graph, width_count(graph, options), vector);
  const std::size_t grid_end = subnets.size();
  const std::vector<int> lower = resolutions(graph);
  for (const int resolution : lower) subnets.push_back({full_subnet(graph).widths, resolution});
  const std::size_t resolutions_end = subnets.size();
  append(random_subnets(graph, kScaling, kScalingSeed), subnets);
  const std::size_t scale_end = subnets.size();
  const bool judged = graph.layout().free_dimensions > 0 && cost(graph, subnets[0]).macs > 0;
  if (judged) append(at_some_resolutions(random_subnets(graph, kHeldOut, kHeldOutSeed), lower), subnets);
  ASSIGN_OR_RETURN(const auto model,
                   runtime::make_timing_model(std::move(network), subnets, options.loading));
  ASSIGN_OR_RETURN(Session session,
                   Session::make(model, {.threads = options.threads, .max_batch = options.batch}));
  LayerTimes times(session, graph, options.batch);
  RETURN_IF_ERROR(times.measure(options.seconds, options.least_rounds, clock, progress));
  table.conditions = {.batch = options.batch, .threads = options.threads, .vector = vector};
  const Measured measured{graph, times, std::move(subnets), grid_end, resolutions_end, scale_end};
  fill(measured, table);
  scale(measured, table);
  if (judged) table.prediction = quality(measured, options.machine, table);
  return {};
}

}  // namespace concertina::profile
