#include "report.h"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <string_view>

#include "report_int8.h"

namespace concertina::bench {
namespace {

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

/// What the reader needs to know of the tables.
constexpr std::string_view kColumns =
    "\n| column | meaning |\n|---|---|\n"
    "| sub-net | `x0.5` keeps half of every width, `uneven` has different widths, a number is the place in "
    "a chain, 0 being the largest |\n"
    "| MMAC | millions of multiply-accumulates of one image |\n"
    "| ours, peer | milliseconds of one batch |\n"
    "| ours / peer | the ratio of the medians of a round: median over the rounds, in brackets the quartiles; "
    "ours is faster below 1 |\n"
    "| of the peak | ours, as a share of the measured peak of the cores; Winograd's algorithm can exceed "
    "100 %, because it does fewer multiplications than are counted |\n";

}  // namespace

std::string name_of(const std::string& network, int size) {
  return size > 0 ? fmt::format("{}, {}x{}", network, size, size) : network;
}

std::string to_markdown(const PeerReport& report) {
  std::string text = fmt::format(
      "# Ours against ONNX Runtime {}\n\n"
      "`bench/peer` runs every size of a few networks with our runtime and with ONNX Runtime, the *peer*.\n"
      "Both take turns, block by block, in one run, and compute in fp32 if no section says otherwise.\n"
      "The processor is `{}`, and our instruction set is {}.\n",
      report.peer_version, report.machine, report.our_target);
  if (!report.measurements.empty()) text += fmt::format("{}\n{}", kColumns, summary(report));
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
        "What it takes to have all sizes of a network ready.\n"
        "Ours is one model and one session; the peer needs a session for each size.\n\n"
        "| network | ours, ms | ours from a cache, ms | peer, ms | ours, MB | peer, MB | "
        "packed weights of all sizes, MB | parameters of the largest, MB |\n"
        "|---|---:|---:|---:|---:|---:|---:|---:|\n";
    for (const Loading& l : report.loading) {
      text += fmt::format("| {} | {:.1f} | {:.1f} | {:.1f} | {:.1f} | {:.1f} | {:.2f} | {:.2f} |\n",
                          name_of(l.network, l.size), l.our_ms, l.cached_ms, l.peer_ms, l.our_megabytes,
                          l.peer_megabytes, l.packed_megabytes, l.full_size_megabytes);
    }
  }
  if (!report.switching.empty()) {
    text +=
        "\n## Switching\n\n"
        "A run names its sub-net, so nothing has to be done to switch.\n"
        "The ratio is the time of the first run after one of another size, over that of a run after one of "
        "the same size.\n\n"
        "| network | sub-net | ratio |\n|---|---|---:|\n";
    for (const Switching& s : report.switching) {
      text += fmt::format("| {} | {} | {:.3f} |\n", name_of(s.network, s.size), s.subnet, s.ratio);
    }
  }
  if (!report.denormals.empty()) {
    text +=
        "\n## Denormal numbers\n\n"
        "The largest sub-net with weights and images that are all denormal numbers, over the same with "
        "ordinary ones, in turn, on one thread.\n\n"
        "| network | ratio |\n|---|---:|\n";
    for (const Denormals& d : report.denormals) {
      text += fmt::format("| {} | {:.3f} ({:.3f} .. {:.3f}) |\n", name_of(d.network, d.size), d.times.ratio,
                          d.times.ratio_low, d.times.ratio_high);
    }
  }
  if (!report.rounding.empty()) {
    text += fmt::format(
        "\n## bfloat16\n\n"
        "Our runs with `--precision bf16`, on {}, against our runs in fp32, in turn.\n"
        "The weights are random, so the difference of the outputs says little about accuracy.\n"
        "`concertina eval --precision bf16` measures accuracy.\n\n"
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
  if (!report.int8.empty()) text += int8_section(report);
  return text;
}

}  // namespace concertina::bench
