#include "profile/layer_grid.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "base/statistics.h"

namespace concertina::profile {
namespace {

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
