#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "interleaved.h"

namespace concertina::bench {

/// What one call does.
enum class Work {
  full,        ///< a training step of the full network: forward, backward, SGD
  sandwich,    ///< the same with the largest, the smallest and two more sub-nets of one batch
  evaluation,  ///< one candidate of the search: forward only, at half the width
};

/// One kind of work with one network, in one precision.
struct TrainingMeasurement {
  std::string network;
  int size = 0;
  Work work = Work::full;
  std::string precision;
  int batch = 0;
  int threads = 1;
  double operations = 0;  ///< of one call: two for each multiply-accumulate; backward counts twice
  Interleaved times;
  double difference = 0;     ///< of the two sides' first losses, or logits, relative
  double peak_gflops = 0;    ///< of one core
  int libtorch_kinds = 0;    ///< of convolutions, that our side takes from LibTorch
  double our_megabytes = 0;  ///< at most, over what the process needed before
  double peer_megabytes = 0;

  double gflops() const { return 1e-6 * operations / times.ours.median_ms; }
  double share_of_peak() const { return gflops() / (peak_gflops * threads); }
  double images_per_second(const Times& side) const { return 1e3 * batch / side.median_ms; }
};

struct TrainingReport {
  std::string machine;
  std::string peer_version;
  std::vector<std::string> units;  ///< what bfloat16 is multiplied with
  std::vector<TrainingMeasurement> measurements;
};

std::string to_markdown(const TrainingReport& report);
std::string to_json(const TrainingReport& report);

/// "full step", "sandwich step", "evaluation".
std::string_view name_of(Work work);

/// The sandwich step's time over the full step's, as a multiple of their operations' ratio: 1 if narrow
/// sub-nets cost no more than their share. 0 if there is no full step of its kind.
double over_its_share(const TrainingReport& report, const TrainingMeasurement& sandwich);

}  // namespace concertina::bench
