#include <nlohmann/json.hpp>

#include "report.h"

namespace concertina::bench {

std::string to_json(const PeerReport& report) {
  nlohmann::json all = {{"machine", report.machine},
                        {"instruction_set", report.our_target},
                        {"onnxruntime", report.peer_version},
                        {"measurements", nlohmann::json::array()},
                        {"loading", nlohmann::json::array()},
                        {"switching", nlohmann::json::array()},
                        {"denormals", nlohmann::json::array()},
                        {"bf16_unit", report.bf16_unit},
                        {"rounding", nlohmann::json::array()},
                        {"int8_unit", report.int8_unit},
                        {"int8", nlohmann::json::array()}};
  for (const Measurement& m : report.measurements) {
    all["measurements"].push_back({{"network", m.network},
                                   {"size", m.size},
                                   {"subnet", m.subnet},
                                   {"widths", m.widths},
                                   {"macs", m.macs},
                                   {"batch", m.batch},
                                   {"threads", m.threads},
                                   {"our_median_ms", m.times.ours.median_ms},
                                   {"our_p99_ms", m.times.ours.p99_ms},
                                   {"peer_median_ms", m.times.peer.median_ms},
                                   {"peer_p99_ms", m.times.peer.p99_ms},
                                   {"ratio", m.times.ratio},
                                   {"ratio_low_quartile", m.times.ratio_low},
                                   {"ratio_high_quartile", m.times.ratio_high},
                                   {"our_gflops", m.gflops()},
                                   {"peak_gflops_per_core", m.peak_gflops},
                                   {"relative_difference", m.difference}});
  }
  for (const Loading& l : report.loading) {
    all["loading"].push_back({{"network", l.network},
                              {"size", l.size},
                              {"our_ms", l.our_ms},
                              {"cached_ms", l.cached_ms},
                              {"peer_ms", l.peer_ms},
                              {"our_megabytes", l.our_megabytes},
                              {"peer_megabytes", l.peer_megabytes},
                              {"packed_megabytes", l.packed_megabytes},
                              {"full_size_megabytes", l.full_size_megabytes}});
  }
  for (const Switching& s : report.switching) {
    all["switching"].push_back(
        {{"network", s.network}, {"size", s.size}, {"subnet", s.subnet}, {"ratio", s.ratio}});
  }
  for (const Denormals& d : report.denormals) {
    all["denormals"].push_back({{"network", d.network},
                                {"size", d.size},
                                {"ratio", d.times.ratio},
                                {"ratio_low_quartile", d.times.ratio_low},
                                {"ratio_high_quartile", d.times.ratio_high}});
  }
  for (const Rounding& r : report.rounding) {
    all["rounding"].push_back({{"network", r.network},
                               {"size", r.size},
                               {"subnet", r.subnet},
                               {"batch", r.batch},
                               {"threads", r.threads},
                               {"fp32_median_ms", r.times.peer.median_ms},
                               {"bf16_median_ms", r.times.ours.median_ms},
                               {"ratio", r.times.ratio},
                               {"ratio_low_quartile", r.times.ratio_low},
                               {"ratio_high_quartile", r.times.ratio_high},
                               {"relative_difference", r.difference},
                               {"packed_megabytes", r.packed_megabytes}});
  }
  for (const EightBits& e : report.int8) {
    all["int8"].push_back({{"network", e.network},
                           {"size", e.size},
                           {"subnet", e.subnet},
                           {"batch", e.batch},
                           {"threads", e.threads},
                           {"our_median_ms", e.against_peer.ours.median_ms},
                           {"peer_median_ms", e.against_peer.peer.median_ms},
                           {"ratio", e.against_peer.ratio},
                           {"ratio_low_quartile", e.against_peer.ratio_low},
                           {"ratio_high_quartile", e.against_peer.ratio_high},
                           {"our_median_ms_beside_fp32", e.against_fp32.ours.median_ms},
                           {"fp32_median_ms", e.against_fp32.peer.median_ms},
                           {"ratio_to_fp32", e.against_fp32.ratio},
                           {"ratio_to_fp32_low_quartile", e.against_fp32.ratio_low},
                           {"ratio_to_fp32_high_quartile", e.against_fp32.ratio_high},
                           {"relative_difference", e.difference},
                           {"peer_relative_difference", e.peer_difference},
                           {"packed_megabytes", e.packed_megabytes},
                           {"fp32_packed_megabytes", e.fp32_packed_megabytes}});
  }
  return all.dump(1) + "\n";
}

}  // namespace concertina::bench
