#include "report_int8.h"

#include <fmt/format.h>

#include <cmath>
#include <string_view>
#include <utility>
#include <vector>

namespace concertina::bench {
namespace {

constexpr std::string_view kText =
    "Both sides run the same sub-nets with the same scales, in turn.\n"
    "Ours runs with `--precision int8`, on {}; the peer runs what `concertina export --precision int8` "
    "writes.\n"
    "Layers for which int8 does not pay stay fp32 on our side.\n"
    "On x86 without VNNI the peer's sums of two 8-bit products saturate at 16 bits, unless its option "
    "`session.x64quantprecision` is 1.\n"
    "The option was left at its default, which is the faster setting.\n"
    "The weights are random, so the differences of the outputs say little about accuracy.\n"
    "`concertina eval --precision int8` measures accuracy.\n\n"
    "| column | meaning |\n|---|---|\n"
    "| ours / peer | of the times in int8: ours is faster below 1 |\n"
    "| our fp32 / int8 | our time in fp32 over ours in int8, in turn: int8 is faster above 1 |\n"
    "| peer: fp32 / int8 | the same of the peer, from medians that were not measured in turn |\n"
    "| difference | of a side's outputs in int8 from ours in fp32, on the same images: the largest, as a share "
    "of the largest output |\n"
    "| packed weights | ours, which all sub-nets share |\n\n";

/// Geometric means.
struct Mean {
  std::string name;
  double logs_to_peer = 0;
  double logs_to_fp32 = 0;
  int count = 0;

  void add(const EightBits& e) {
    logs_to_peer += std::log(e.against_peer.ratio);
    logs_to_fp32 -= std::log(e.against_fp32.ratio);
    ++count;
  }
  std::string line() const {
    return fmt::format("| {} | {} | {:.3f} | {:.2f} |\n", name, count, std::exp(logs_to_peer / count),
                       std::exp(logs_to_fp32 / count));
  }
};

std::string means(const std::vector<EightBits>& all) {
  std::vector<Mean> networks;
  Mean together{.name = "all"};
  for (const EightBits& e : all) {
    std::string name = name_of(e.network, e.size);
    if (networks.empty() || networks.back().name != name) networks.push_back({.name = std::move(name)});
    networks.back().add(e);
    together.add(e);
  }
  std::string text =
      "Geometric means over sub-nets, threads and batches:\n\n"
      "| network | runs | ours / peer | our fp32 / int8 |\n|---|---:|---:|---:|\n";
  for (const Mean& mean : networks) text += mean.line();
  return text + together.line();
}

/// The peer's time in fp32 over its time in int8, or "-".
std::string peer_gain(const PeerReport& report, const EightBits& e) {
  for (const Measurement& m : report.measurements) {
    if (m.network == e.network && m.size == e.size && m.subnet == e.subnet && m.batch == e.batch &&
        m.threads == e.threads) {
      return fmt::format("{:.2f}", m.times.peer.median_ms / e.against_peer.peer.median_ms);
    }
  }
  return "-";
}

}  // namespace

std::string int8_section(const PeerReport& report) {
  std::string text = "\n## int8\n\n" + fmt::format(kText, report.int8_unit) + means(report.int8) +
                     "\n| network | threads | batch | sub-net | ours, ms | peer, ms | ours / peer | "
                     "our fp32 / int8 | peer: fp32 / int8 | difference: ours | peer | "
                     "packed weights, MB | in fp32, MB |\n"
                     "|---|---:|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n";
  for (const EightBits& e : report.int8) {
    const Interleaved &peer = e.against_peer, &fp32 = e.against_fp32;
    text += fmt::format(
        "| {} | {} | {} | {} | {:.3f} | {:.3f} | {:.3f} ({:.3f} .. {:.3f}) | {:.2f} ({:.2f} .. {:.2f}) | {} | "
        "{:.1e} | {:.1e} | {:.2f} | {:.2f} |\n",
        name_of(e.network, e.size), e.threads, e.batch, e.subnet, peer.ours.median_ms, peer.peer.median_ms,
        peer.ratio, peer.ratio_low, peer.ratio_high, 1 / fp32.ratio, 1 / fp32.ratio_high, 1 / fp32.ratio_low,
        peer_gain(report, e), e.difference, e.peer_difference, e.packed_megabytes, e.fp32_packed_megabytes);
  }
  return text;
}

}  // namespace concertina::bench
