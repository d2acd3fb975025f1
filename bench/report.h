#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "interleaved.h"

namespace concertina::bench {

/// One sub-net, batch and number of threads.
struct Measurement {
  std::string network;
  int size = 0;
  std::string subnet;
  std::string widths;
  std::int64_t macs = 0;  ///< of one image
  int batch = 1;
  int threads = 1;
  Interleaved times;
  double difference = 0;   ///< of the two sides' outputs: the largest, as a share of the largest output
  double peak_gflops = 0;  ///< of one core, measured just before

  double gflops() const { return 2e-6 * static_cast<double>(macs) * batch / times.ours.median_ms; }
  double share_of_peak() const { return gflops() / (peak_gflops * threads); }
};

/// What having all sizes of a network ready costs either side.
struct Loading {
  std::string network;
  int size = 0;
  double our_ms = 0;         ///< model and session, from the file
  double cached_ms = 0;      ///< the same where an earlier load has kept the packed weights
  double peer_ms = 0;        ///< a session for every size
  double our_megabytes = 0;  ///< of memory, before anything was run
  double peer_megabytes = 0;
  double packed_megabytes = 0;     ///< our packed weights, which all sizes share
  double full_size_megabytes = 0;  ///< the parameters of the largest size
};

/// The first run after a run of another size, against one after a run of the same size, on one thread.
struct Switching {
  std::string network;
  int size = 0;
  std::string subnet;
  double ratio = 0;  ///< of their medians
};

/// Our own run of the largest sub-net with weights and images that are denormal numbers, against ordinary
/// ones.
struct Denormals {
  std::string network;
  int size = 0;
  Interleaved times;  ///< ours: with denormal numbers; peer: with ordinary ones
};

/// Our own runs in bfloat16 against those in fp32.
struct Rounding {
  std::string network;
  int size = 0;
  std::string subnet;
  int batch = 1;
  int threads = 1;
  Interleaved times;      ///< ours: in bfloat16; peer: in fp32
  double difference = 0;  ///< of the outputs: the largest, as a share of the largest output
  double packed_megabytes = 0;
};

/// Our runs in int8 against the peer's of the sub-net's file in 8 bits, and against ours in fp32.
struct EightBits {
  std::string network;
  int size = 0;
  std::string subnet;
  int batch = 1;
  int threads = 1;
  Interleaved against_peer;    ///< ours: in int8; peer: ONNX Runtime in int8
  Interleaved against_fp32;    ///< ours: in int8; peer: ours in fp32
  double difference = 0;       ///< of our outputs: the largest, as a share of our largest output in fp32
  double peer_difference = 0;  ///< of the peer's outputs in int8 and ours in fp32, in the same way
  double packed_megabytes = 0;
  double fp32_packed_megabytes = 0;
};

struct PeerReport {
  std::string machine;
  std::string our_target;  ///< instruction set
  std::string peer_version;
  std::vector<Measurement> measurements;
  std::vector<Loading> loading;
  std::vector<Switching> switching;
  std::vector<Denormals> denormals;
  std::string bf16_unit;  ///< empty: the machine has none
  std::vector<Rounding> rounding;
  std::string int8_unit;
  std::vector<EightBits> int8;
};

std::string to_markdown(const PeerReport& report);
std::string to_json(const PeerReport& report);

}  // namespace concertina::bench
