#include "profile/layer_times.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "base/random.h"
#include "base/statistics.h"
#include "base/try.h"
#include "profile/measure_subnets.h"

namespace concertina::profile {
namespace {

constexpr double kTick = 1e-6;  // milliseconds: the clock may not have moved

constexpr std::size_t kMaxWidths = 12;

/// All of them, or kMaxWidths of them, evenly by rank, both ends included.
std::vector<int> some_of(const std::set<int>& widths) {
  const std::vector<int> all(widths.begin(), widths.end());
  if (all.size() <= kMaxWidths) return all;
  std::vector<int> some;
  for (std::size_t i = 0; i < kMaxWidths; ++i) some.push_back(all[i * (all.size() - 1) / (kMaxWidths - 1)]);
  return some;
}

double distance(int a, int b) {
  return std::abs(std::log(static_cast<double>(a) / b));
}

double time_at(int inputs, int outputs, const std::vector<LayerSample>& samples) {
  double least = std::numeric_limits<double>::infinity();
  std::vector<double> nearest;
  for (const LayerSample& sample : samples) {
    const double far = distance(inputs, sample.inputs) + distance(outputs, sample.outputs);
    if (far > least) continue;
    if (far < least) nearest.clear();
    least = far;
    const double share =
        static_cast<double>(inputs) * outputs / (static_cast<double>(sample.inputs) * sample.outputs);
    nearest.push_back(share * sample.milliseconds);
  }
  return quantile(nearest, 0.5);
}

}  // namespace

LayerTimes::LayerTimes(Session& session, const Graph& graph, int batch)
    : session_(&session),
      batch_(batch),
      inputs_(some_inputs(session.model(), batch)),
      outputs_(static_cast<std::size_t>(batch) * session.model().output_size()),
      times_(session.model().subnets().size()) {
  for (NodeId id = 0; id < graph.size(); ++id) nodes_.emplace(graph.node(id).name, id);
}

Status LayerTimes::measure(double seconds, int least, const Clock& clock, Progress& progress) {
  const auto total = static_cast<std::int64_t>(std::ceil(seconds));
  progress.start_seconds("measure layers", total);
  const Time start = clock.now();
  double spent = 0;
  while (spent < seconds || rounds_ < least) {
    const auto order = CounterRandom(2, static_cast<std::uint64_t>(rounds_)).permutation(std::ssize(times_));
    for (const std::int64_t subnet : order) {
      RETURN_IF_ERROR(measure_once(static_cast<int>(subnet), clock));
      spent = to_ms(clock.now() - start) / 1e3;
      progress.update(std::min(total - 1, static_cast<std::int64_t>(spent)), "");
    }
    ++rounds_;
  }
  progress.update(total, "");
  return {};
}

Status LayerTimes::measure_once(int subnet, const Clock& clock) {
  ASSIGN_OR_RETURN(const auto steps, session_->profile(inputs_, batch_, subnet, 1));
  const Time start = clock.now();
  RETURN_IF_ERROR(session_->run(inputs_, batch_, subnet, outputs_));
  SubnetTimes& times = times_[subnet];
  times.runs.push_back(std::max(to_ms(clock.now() - start), kTick));
  std::map<NodeId, double> sums;
  double others = 0;
  double* sum = &others;
  for (const StepTime& step : steps) {
    if (const auto node = nodes_.find(step.name); node != nodes_.end()) {
      sum = &sums[node->second];
    } else if (step.kind != "Copy") {
      sum = &others;
    }
    *sum += std::max(step.median_ms, kTick);
  }
  for (const auto& [node, ms] : sums) times.nodes[node].push_back(ms);
  times.others.push_back(others);
  return {};
}

latency::LayerLatency grid_of(const std::vector<LayerSample>& samples, bool follows_output) {
  std::vector<LayerSample> used = samples;
  std::set<int> inputs, outputs;
  for (const LayerSample& sample : samples) {
    inputs.insert(sample.inputs);
    outputs.insert(sample.outputs);
  }
  if (follows_output) {
    for (LayerSample& sample : used) sample.inputs = *inputs.rbegin();
    inputs = {*inputs.rbegin()};
  }
  latency::LayerLatency layer{.inputs = some_of(inputs), .outputs = some_of(outputs), .milliseconds = {}};
  for (const int in : layer.inputs) {
    for (const int out : layer.outputs) layer.milliseconds.push_back(time_at(in, out, used));
  }
  return layer;
}

}  // namespace concertina::profile
