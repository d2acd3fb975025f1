#include "training_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace concertina::bench {
namespace {

constexpr std::string_view kTrainingColumns =
    "| column | meaning |\n|---|---|\n"
    "| full step | forward, backward and SGD of the full network |\n"
    "| sandwich step | the same for the largest, the smallest and two more sub-nets with one batch |\n"
    "| evaluation | forward only at half the width, as the search does it |\n"
    "| times as fast | LibTorch's time over ours, of the medians of a round: median over the rounds, in "
    "brackets the quartiles; ours is faster above 1 |\n"
    "| LibTorch's | kinds of convolutions that our side takes from LibTorch, because it has measured at its "
    "start that those are faster |\n"
    "| of the peak | ours, as a share of what the cores multiply at most in this precision |\n"
    "| over its share | the time of the sandwich step over that of the full step, divided by the same ratio "
    "of multiply-accumulates; 1 means that narrow sub-nets cost only their share |\n"
    "| MB | the most memory of a process that does only this, over what it had before |\n";

}  // namespace

std::string_view name_of(Work work) {
  switch (work) {
    case Work::full:
      return "full step";
    case Work::sandwich:
      return "sandwich step";
    case Work::evaluation:
      return "evaluation";
  }
  return "";
}

double over_its_share(const TrainingReport& report, const TrainingMeasurement& sandwich) {
  for (const TrainingMeasurement& full : report.measurements) {
    const bool alike = full.work == Work::full && full.network == sandwich.network &&
                       full.size == sandwich.size && full.precision == sandwich.precision &&
                       full.threads == sandwich.threads && full.batch == sandwich.batch;
    if (!alike) continue;
    return sandwich.times.ours.median_ms / full.times.ours.median_ms /
           (sandwich.operations / full.operations);
  }
  return 0;
}

std::string to_markdown(const TrainingReport& report) {
  std::string units;
  for (const std::string& unit : report.units) units += (units.empty() ? "" : ", ") + unit;
  std::string text = fmt::format(
      "# Our training step against plain LibTorch {}\n\n"
      "`bench/train` trains a few networks with our kernels and with LibTorch's own, channels last.\n"
      "The two sides take turns, block by block, in one run.\n"
      "The processor is `{}`. It multiplies bfloat16 with {}.\n\n{}",
      report.peer_version, report.machine, units.empty() ? "no unit of its own" : units, kTrainingColumns);
  std::string last;
  for (const TrainingMeasurement& m : report.measurements) {
    const std::string title =
        fmt::format("{}, batch {}, {} thread{}", m.precision, m.batch, m.threads, m.threads > 1 ? "s" : "");
    if (title != last) {
      text += fmt::format(
          "\n## {}\n\n"
          "| network | what | ours, images/s | LibTorch, images/s | times as fast | LibTorch's | GFLOP/s | of the peak | "
          "over its share | ours, MB | LibTorch, MB |\n"
          "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n",
          title);
      last = title;
    }
    const double share = m.work == Work::sandwich ? over_its_share(report, m) : 0;
    text += fmt::format(
        "| {}, {}x{} | {} | {:.0f} | {:.0f} | {:.2f} ({:.2f} .. {:.2f}) | {} | {:.0f} | {:.0f} % | {} | {:.0f} | "
        "{:.0f} |\n",
        m.network, m.size, m.size, name_of(m.work), m.images_per_second(m.times.ours),
        m.images_per_second(m.times.peer), 1 / m.times.ratio, 1 / m.times.ratio_high, 1 / m.times.ratio_low,
        m.libtorch_kinds, m.gflops(), 100 * m.share_of_peak(), share > 0 ? fmt::format("{:.2f}", share) : "",
        m.our_megabytes, m.peer_megabytes);
  }
  return text;
}

std::string to_json(const TrainingReport& report) {
  nlohmann::json all = {
      {"machine", report.machine}, {"libtorch", report.peer_version}, {"bf16_units", report.units}};
  for (const TrainingMeasurement& m : report.measurements) {
    all["measurements"].push_back({{"network", m.network},
                                   {"size", m.size},
                                   {"work", name_of(m.work)},
                                   {"precision", m.precision},
                                   {"batch", m.batch},
                                   {"threads", m.threads},
                                   {"operations", m.operations},
                                   {"our_ms", m.times.ours.median_ms},
                                   {"libtorch_ms", m.times.peer.median_ms},
                                   {"times_as_fast", 1 / m.times.ratio},
                                   {"times_as_fast_low", 1 / m.times.ratio_high},
                                   {"times_as_fast_high", 1 / m.times.ratio_low},
                                   {"difference", m.difference},
                                   {"libtorch_convolutions", m.libtorch_kinds},
                                   {"peak_gflops", m.peak_gflops},
                                   {"our_megabytes", m.our_megabytes},
                                   {"libtorch_megabytes", m.peer_megabytes}});
  }
  return all.dump(1) + "\n";
}

}  // namespace concertina::bench
