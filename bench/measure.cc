#include "measure.h"

#include <fmt/format.h>

#include <cstdio>
#include <string>

#include "base/try.h"
#include "graph/cost.h"
#include "images.h"
#include "kernels/machine_limits.h"
#include "onnx/int8_export.h"

namespace concertina::bench {
namespace {

/// The largest difference of the outputs in fp32, as a share of the largest output.
constexpr double kBound = 1e-3;

Result<Session> session_of(const std::shared_ptr<const Model>& model, const Setting& setting) {
  return Session::make(model, {.threads = setting.threads, .max_batch = setting.batch});
}

double packed_megabytes(const Model& model) {
  return static_cast<double>(model.packed_bytes()) / 1e6;
}

void print(const Subject& subject, const NamedSubnet& subnet, const Setting& setting,
           const std::string& times) {
  fmt::print("{} {} {} batch {} threads {}: {}\n", subject.network, subject.size, subnet.name, setting.batch,
             setting.threads, times);
  std::fflush(stdout);
}

std::string text_of(const Interleaved& times) {
  return fmt::format("{:.3f} ms, peer {:.3f} ms, ratio {:.3f} ({:.3f} .. {:.3f})", times.ours.median_ms,
                     times.peer.median_ms, times.ratio, times.ratio_low, times.ratio_high);
}

}  // namespace

Status measure_fp32(const Subject& subject, const std::shared_ptr<const Model>& fp32,
                    const std::shared_ptr<const peer::OnnxRuntime>& peer, const Setting& setting,
                    PeerReport& report) {
  const onnx::ModelFile& file = subject.model.file;
  const Graph& graph = file.network.graph;
  const double peak = kernels::peak_gflops();
  ASSIGN_OR_RETURN(Session session, session_of(fp32, setting));
  for (std::size_t i = 0; i < subject.model.subnets.size(); ++i) {
    const NamedSubnet& named = subject.model.subnets[i];
    ASSIGN_OR_RETURN(const std::string onnx, onnx::export_subnet(file, named.subnet));
    ASSIGN_OR_RETURN(auto peer_run, peer_session(peer, graph, onnx, setting.batch, setting.threads));
    ASSIGN_OR_RETURN(const InTurn both,
                     against_peer(session, static_cast<int>(i), std::move(peer_run), setting));
    report.measurements.push_back({.network = subject.network,
                                   .size = subject.size,
                                   .subnet = named.name,
                                   .widths = to_string(named.subnet),
                                   .macs = cost(graph, named.subnet).macs,
                                   .batch = setting.batch,
                                   .threads = setting.threads,
                                   .times = both.times,
                                   .difference = largest_difference(both.ours, both.peer),
                                   .peak_gflops = peak});
    const Measurement& m = report.measurements.back();
    print(subject, named, setting,
          fmt::format("{}, {:.0f} % of the peak", text_of(m.times), 100 * m.share_of_peak()));
    if (!(m.difference < kBound)) {
      return Error{fmt::format("{}, sub-net {}: the two sides' outputs differ by {:.1e} of the largest",
                               subject.network, m.widths, m.difference)};
    }
  }
  return {};
}

Status measure_bf16(const Subject& subject, const std::shared_ptr<const Model>& bf16,
                    const std::shared_ptr<const Model>& fp32, const Setting& setting, PeerReport& report) {
  ASSIGN_OR_RETURN(Session rounded, session_of(bf16, setting));
  ASSIGN_OR_RETURN(Session exact, session_of(fp32, setting));
  for (std::size_t i = 0; i < subject.model.subnets.size(); ++i) {
    const NamedSubnet& named = subject.model.subnets[i];
    ASSIGN_OR_RETURN(const InTurn both, against_ours(rounded, exact, static_cast<int>(i), setting));
    report.rounding.push_back({.network = subject.network,
                               .size = subject.size,
                               .subnet = named.name,
                               .batch = setting.batch,
                               .threads = setting.threads,
                               .times = both.times,
                               .difference = largest_difference(both.ours, both.peer),
                               .packed_megabytes = packed_megabytes(*bf16)});
    print(
        subject, named, setting,
        fmt::format("bf16 {:.3f} ms, fp32 {:.3f} ms", both.times.ours.median_ms, both.times.peer.median_ms));
  }
  return {};
}

Status measure_int8(const Subject& subject, const std::shared_ptr<const Model>& int8,
                    const std::shared_ptr<const Model>& fp32,
                    const std::shared_ptr<const peer::OnnxRuntime>& peer, const Setting& setting,
                    PeerReport& report) {
  const onnx::ModelFile& file = subject.model.file;
  ASSIGN_OR_RETURN(Session rounded, session_of(int8, setting));
  ASSIGN_OR_RETURN(Session exact, session_of(fp32, setting));
  for (std::size_t i = 0; i < subject.model.subnets.size(); ++i) {
    const NamedSubnet& named = subject.model.subnets[i];
    const int subnet = static_cast<int>(i);
    ASSIGN_OR_RETURN(const std::string onnx, onnx::export_int8(file, named.subnet));
    ASSIGN_OR_RETURN(auto peer_run,
                     peer_session(peer, file.network.graph, onnx, setting.batch, setting.threads));
    ASSIGN_OR_RETURN(const InTurn theirs, against_peer(rounded, subnet, std::move(peer_run), setting));
    ASSIGN_OR_RETURN(const InTurn ours, against_ours(rounded, exact, subnet, setting));
    report.int8.push_back({.network = subject.network,
                           .size = subject.size,
                           .subnet = named.name,
                           .batch = setting.batch,
                           .threads = setting.threads,
                           .against_peer = theirs.times,
                           .against_fp32 = ours.times,
                           .difference = largest_difference(ours.ours, ours.peer),
                           .peer_difference = largest_difference(theirs.peer, ours.peer),
                           .packed_megabytes = packed_megabytes(*int8),
                           .fp32_packed_megabytes = packed_megabytes(*fp32)});
    print(subject, named, setting,
          fmt::format("int8 {}; fp32 {:.3f} ms", text_of(theirs.times), ours.times.peer.median_ms));
  }
  return {};
}

}  // namespace concertina::bench
