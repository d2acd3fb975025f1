#include "device/profile_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/precision.h"
#include "common/table.h"

namespace concertina::apps {
namespace {

constexpr int kRunsForP99 = 100;  // with fewer the slowest run decides alone

std::string machine_line(const latency::LatencyTable& table) {
  const latency::MeasuredMachine& machine = table.machine;
  return fmt::format("{}, {}, {} core{}, {}{}\n", machine.cpu, machine.instruction_set, machine.cores,
                     machine.cores == 1 ? "" : "s", name_of(table.precision),
                     machine.governor.empty() ? "" : ", governor " + machine.governor);
}

std::string number(double ms) {
  return fmt::format("{:.{}f}", ms, ms < 1 ? 4 : ms < 100 ? 3 : 1);
}

std::string subnet_table(const latency::LatencyTable& table) {
  std::vector<std::vector<std::string>> rows = {
      {"sub-net", "batch", "threads", "runs", "median ms", "p90 ms", "p99 ms"}};
  for (const latency::SubnetLatency& one : table.subnets) {
    rows.push_back({one.subnet.widths.empty() ? "full" : to_string(one.subnet), std::to_string(one.batch),
                    std::to_string(one.threads), std::to_string(one.runs), number(one.times.median()),
                    number(one.times.at(0.9)), number(one.times.at(0.99))});
  }
  return format_table(rows);
}

std::string tail_note(const latency::LatencyTable& table) {
  const auto fewest = std::min_element(table.subnets.begin(), table.subnets.end(),
                                       [](const auto& a, const auto& b) { return a.runs < b.runs; });
  if (fewest == table.subnets.end() || fewest->runs >= kRunsForP99) return "";
  return fmt::format(
      "With batch {} on {} threads there was time for {} runs of each sub-net, of which p99 is the slowest; "
      "--seconds gives more.\n",
      fewest->batch, fewest->threads, fewest->runs);
}

std::vector<std::string> prediction_row(const char* name, const latency::PredictionError& error) {
  return {name, fmt::format("{:.1f} %", 100 * error.median), fmt::format("{:.1f} %", 100 * error.worst),
          fmt::format("{:.3f}", error.rank_correlation)};
}

std::string prediction_table(const latency::LatencyTable& table) {
  if (!table.prediction) return "";
  const latency::PredictionQuality& quality = *table.prediction;
  return fmt::format(
      "\n{} layers were measured with batch {} on {} thread{}. So far from the times of {} random sub-nets, "
      "which had no part in it, are predictions by\n{}"
      "Those times themselves repeat to {:.1f} %. The roofline is {:.0f} GFLOP/s and {:.1f} GB/s.\n",
      table.layers.size(), table.conditions.batch, table.conditions.threads,
      table.conditions.threads == 1 ? "" : "s", quality.subnets,
      format_table({{"", "median error", "worst error", "rank correlation"},
                    prediction_row("sums of layers", quality.layer_sums),
                    prediction_row("roofline", quality.roofline),
                    prediction_row("MACs alone", quality.macs)}),
      100 * quality.noise, quality.machine.gflops, quality.machine.gbytes_per_second);
}

}  // namespace

std::string report_of(const latency::LatencyTable& table) {
  return machine_line(table) + subnet_table(table) + tail_note(table) + prediction_table(table);
}

}  // namespace concertina::apps
