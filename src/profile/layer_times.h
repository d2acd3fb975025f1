#pragma once

#include <map>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/progress.h"
#include "concertina/session.h"
#include "graph/graph.h"
#include "latency/latency_table.h"

namespace concertina::profile {

/// What runs of one sub-net took.
struct SubnetTimes {
  std::vector<double> runs;                     ///< milliseconds of whole runs
  std::map<NodeId, std::vector<double>> nodes;  ///< of each node's steps together
  std::vector<double> others;                   ///< of the steps that belong to no node
};

/// Times whole runs and the nodes of a model's sub-nets, in turns, each round in a new random order. Steps
/// between nodes, which put channels into other places, count for the node before them; nodes without steps
/// of their own (what is fused into a convolution) have no times.
class LayerTimes {
 public:
  /// Precondition: `session` runs `graph`, and outlives this.
  LayerTimes(Session& session, const Graph& graph, int batch);

  /// Rounds until the time is up, but at least `least`. Fails as Session::run() does.
  Status measure(double seconds, int least, const Clock& clock, Progress& progress);

  const SubnetTimes& of(std::size_t subnet) const { return times_[subnet]; }
  int rounds() const { return rounds_; }

 private:
  Status measure_once(int subnet, const Clock& clock);

  Session* session_;
  int batch_;
  std::map<std::string, NodeId> nodes_;
  std::vector<float> inputs_;
  std::vector<float> outputs_;
  std::vector<SubnetTimes> times_;
  int rounds_ = 0;
};

/// How long a node took at one pair of widths.
struct LayerSample {
  int inputs = 0;   ///< active channels before it
  int outputs = 0;  ///< behind it
  double milliseconds = 0;
};

/// Samples as a complete grid over the widths that they have, or, of many, some of them. A pair gets the
/// median of its samples; if there are none, that of the nearest ones, each in proportion to the product of
/// its widths. `follows_output`: the input tells nothing, and the grid has one. Precondition: not empty,
/// times are positive.
latency::LayerLatency grid_of(const std::vector<LayerSample>& samples, bool follows_output);

}  // namespace concertina::profile
