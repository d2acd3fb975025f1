#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "concertina/precision.h"
#include "graph/graph.h"
#include "latency/prediction.h"

namespace concertina::latency {

/// The machine on which a table was measured.
struct MeasuredMachine {
  std::string cpu;              ///< the processor's name
  std::string instruction_set;  ///< of the kernels
  int cores = 0;                ///< that the program may use; 0: unknown
  std::string governor;         ///< of the processor's frequency; empty where it is not visible

  friend bool operator==(const MeasuredMachine&, const MeasuredMachine&) = default;
};

/// Measured milliseconds of one node at a grid of widths. A node whose time follows its output alone has one
/// input.
struct LayerLatency {
  std::vector<int> inputs;           ///< active channels of its first input, ascending
  std::vector<int> outputs;          ///< active output channels, ascending
  std::vector<double> milliseconds;  ///< [inputs][outputs]
  std::int64_t macs = 0;  ///< multiply-accumulates of the full node for one image; 0: not told, or none

  friend bool operator==(const LayerLatency&, const LayerLatency&) = default;
};

/// How long runs of one kind took: their times' quantiles.
class TimeQuantiles {
 public:
  /// The shares of runs that took no longer than each of the times; the last is the longest run.
  static constexpr std::array<double, 8> kLevels = {0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0};

  /// Preconditions: positive, finite, ascending or equal.
  explicit TimeQuantiles(const std::array<double, kLevels.size()>& milliseconds)
      : milliseconds_(milliseconds) {}

  /// Of measured runs. Precondition: not empty, each positive and finite.
  static TimeQuantiles of(std::vector<double> milliseconds);

  const std::array<double, kLevels.size()>& milliseconds() const { return milliseconds_; }
  double median() const { return milliseconds_[2]; }

  /// Milliseconds that a share `level` (0 .. 1) of the runs does not exceed, linear between the levels,
  /// constant below the first.
  double at(double level) const;

  friend bool operator==(const TimeQuantiles&, const TimeQuantiles&) = default;

 private:
  std::array<double, kLevels.size()> milliseconds_;
};

/// One sub-net as it runs with one batch on one number of threads.
struct SubnetLatency {
  Subnet subnet;
  int batch = 1;
  int threads = 1;
  int runs = 0;  ///< that were measured
  TimeQuantiles times;

  friend bool operator==(const SubnetLatency&, const SubnetLatency&) = default;
};

/// How the layers of a table were measured.
struct LayerConditions {
  int batch = 1;
  int threads = 1;
  /// Kernels make so many output channels at a time, unless half of it or fewer are left.
  int vector = 1;

  friend bool operator==(const LayerConditions&, const LayerConditions&) = default;
};

/// The output channels, of at most `most`, with which a layer takes as long as with `active` ones.
int timed_outputs(int active, int vector, int most);

/// What a network's layers, and a model's sub-nets, take on one machine, measured there;
/// docs/latency-table.md describes the file. Layers serve the search, sub-nets the runtime; either may be
/// missing.
struct LatencyTable {
  MeasuredMachine machine = {};
  Precision precision = Precision::fp32;
  std::vector<SubnetLatency> subnets = {};
  LayerConditions conditions = {};
  std::map<std::string, LayerLatency> layers = {};  ///< by node
  /// By lower resolution: milliseconds of the full network's nodes there, the scaling of images among them.
  std::map<int, std::map<std::string, double>> resolutions = {};
  double fixed_milliseconds = 0;                     ///< what does not depend on widths
  std::optional<PredictionQuality> prediction = {};  ///< how good layer_sum() is

  /// The bytes are not trusted: every number must be positive and finite, every list ascending, every grid
  /// complete, no sub-net twice with one batch and number of threads.
  static Result<LatencyTable> parse(std::string_view text);
  /// The same with a file; errors name it.
  static Result<LatencyTable> read(const std::filesystem::path& path);
  std::string to_json() const;

  /// Fails, naming the layer, unless the layers were measured on this network: each of its convolutions and
  /// linear layers is in the table, none else is, and those whose outputs may shrink have as many
  /// multiply-accumulates. (The last layer has as many outputs as the data has classes, and may have others.)
  Status check_layers(const Graph& graph) const;

  /// The sum over the nodes that were measured, each interpolated bilinearly between the measured widths and
  /// constant outside them, plus what does not depend on widths. At a lower resolution a node's time changes
  /// as that of the full network's does, or, at one that was not measured, with its pixels. Precondition:
  /// check_layers(graph).
  double layer_sum(const Graph& graph, const Subnet& subnet) const;

  /// How long `subnet` runs; null if that was not measured.
  const TimeQuantiles* find(const Subnet& subnet, int batch, int threads) const;

  friend bool operator==(const LatencyTable&, const LatencyTable&) = default;
};

/// What the layers' milliseconds are of, for people: "Xeon, AVX3, 2 cores, fp32, batch 1, 1 thread".
std::string describe_layers(const LatencyTable& table);

}  // namespace concertina::latency
