#include "report.h"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

namespace concertina::bench {
namespace {

std::string name_of(const std::string& network, int size) {
  return size > 0 ? fmt::format("{}, {}x{}", network, size, size) : network;
}

/// Geometric mean of the ratios of all measurements of each (threads, batch).
std::string summary(const PeerReport& report) {
  struct Sum {
    double logs = 0;
    double worst = 0;
    int count = 0;
  };
  std::map<std::pair<int, int>, Sum> sums;
  for (const Measurement& m : report.measurements) {
    Sum& sum = sums[{m.threads, m.batch}];
    sum.logs += std::log(m.times.ratio);
    sum.worst = std::max(sum.worst, m.times.ratio);
    ++sum.count;
  }
  std::string text =
      "| threads | batch | sub-nets | geometric mean of ours / peer | worst |\n|---:|---:|---:|---:|---:|\n";
  for (const auto& [key, sum] : sums) {
    text += fmt::format("| {} | {} | {} | {:.3f} | {:.3f} |\n", key.first, key.second, sum.count,
                        std::exp(sum.logs / sum.count), sum.worst);
  }
  return text;
}

}  // namespace

std::string to_markdown(const PeerReport& report) {
  std::string text = fmt::format(
      "# Ours against ONNX Runtime {}\n\n"
      "{}, ours on {}, fp32. Both sides in turn in one run; "
      "a ratio below 1 means that ours is faster; in brackets\n"
      "the quartiles over the rounds.\n\n{}",
      report.peer_version, report.machine, report.our_target, summary(report));
  std::string last;
  for (const Measurement& m : report.measurements) {
    const std::string name = fmt::format("{}, batch {}, {} thread{}", name_of(m.network, m.size), m.batch,
                                         m.threads, m.threads > 1 ? "s" : "");
    if (name != last) {
      text += fmt::format(
          "\n## {}\n\n"
          "| sub-net | MMAC | ours, ms: median | p99 | peer, ms: median | p99 | ours / peer | "
          "GFLOP/s | of the peak |\n"
          "|---|---:|---:|---:|---:|---:|---:|---:|---:|\n",
          name);
      last = name;
    }
    text += fmt::format(
        "| {} | {:.1f} | {:.3f} | {:.3f} | {:.3f} | {:.3f} | "
        "{:.3f} ({:.3f} .. {:.3f}) | {:.0f} | {:.0f} % |\n",
        m.subnet, static_cast<double>(m.macs) / 1e6, m.times.ours.median_ms, m.times.ours.p99_ms,
        m.times.peer.median_ms, m.times.peer.p99_ms, m.times.ratio, m.times.ratio_low, m.times.ratio_high,
        m.gflops(), 100 * m.share_of_peak());
  }
  if (!report.loading.empty()) {
    text +=
        "\n## All sizes ready\n\n"
        "Ours: one model, one session. Peer: a session for each size.\n\n"
        "| network | ours, ms | peer, ms | ours, MB | peer, MB | "
        "packed weights of all sizes, MB | parameters of the largest, MB |\n"
        "|---|---:|---:|---:|---:|---:|---:|\n";
    for (const Loading& l : report.loading) {
      text += fmt::format("| {} | {:.1f} | {:.1f} | {:.1f} | {:.1f} | {:.2f} | {:.2f} |\n",
                          name_of(l.network, l.size), l.our_ms, l.peer_ms, l.our_megabytes, l.peer_megabytes,
                          l.packed_megabytes, l.full_size_megabytes);
    }
  }
  if (!report.switching.empty()) {
    text +=
        "\n## Switching\n\n"
        "A switch is no action: a run names its sub-net. "
        "The first run after one of another size, as a multiple of a run after\n"
        "one of the same size:\n\n"
        "| network | sub-net | ratio |\n|---|---|---:|\n";
    for (const Switching& s : report.switching) {
      text += fmt::format("| {} | {} | {:.3f} |\n", name_of(s.network, s.size), s.subnet, s.ratio);
    }
  }
  if (!report.rounding.empty()) {
    text += fmt::format(
        "\n## bfloat16\n\n"
        "Ours with `--precision bf16`, on {}, against ours in fp32, in turn. "
        "Weights are random, so the difference says\n"
        "little of accuracies; `concertina eval --precision bf16` measures those.\n\n"
        "| network | threads | batch | sub-net | fp32, ms | bf16, ms | fp32 / bf16 | "
        "difference of the outputs | packed weights, MB |\n"
        "|---|---:|---:|---|---:|---:|---:|---:|---:|\n",
        report.bf16_unit);
    for (const Rounding& r : report.rounding) {
      text += fmt::format(
          "| {} | {} | {} | {} | {:.3f} | {:.3f} | {:.2f} ({:.2f} .. {:.2f}) | {:.1e} | {:.2f} |\n",
          name_of(r.network, r.size), r.threads, r.batch, r.subnet, r.times.peer.median_ms,
          r.times.ours.median_ms, 1 / r.times.ratio, 1 / r.times.ratio_high, 1 / r.times.ratio_low,
          r.difference, r.packed_megabytes);
    }
  }
  return text;
}

std::string to_json(const PeerReport& report) {
  nlohmann::json all = {{"machine", report.machine},          {"instruction_set", report.our_target},
                        {"onnxruntime", report.peer_version}, {"measurements", nlohmann::json::array()},
                        {"loading", nlohmann::json::array()}, {"switching", nlohmann::json::array()},
                        {"bf16_unit", report.bf16_unit},      {"rounding", nlohmann::json::array()}};
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
  return all.dump(1) + "\n";
}

}  // namespace concertina::bench
