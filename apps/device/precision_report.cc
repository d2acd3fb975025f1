#include "device/precision_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/statistics.h"
#include "common/table.h"
#include "concertina/precision.h"
#include "quantization/points.h"

namespace concertina::apps {
namespace {

using quantization::kNoOption;
using quantization::LayerPrecisions;
using quantization::Point;

constexpr std::array<std::string_view, 5> kProposals = {"fp32", "bf16", "int8", "search", "random"};
constexpr int kLatencies = 5;

std::string_view proposal_name(Proposal by) {
  return kProposals[static_cast<std::size_t>(by)];
}

/// By layer, of those that have a choice.
nlohmann::json precisions_of(const LayerPrecisions& layers, const MeasuredCombination& one) {
  nlohmann::json precisions = nlohmann::json::object();
  for (std::size_t i = 0; i < layers.layers().size(); ++i) {
    const int option = one.mixed.options[i];
    if (option == kNoOption) continue;
    precisions[layers.name(i)] = name_of(quantization::precision_of(layers.layers()[i].options[option]));
  }
  return precisions;
}

/// "12 int8, 3 fp32".
std::string count_of(const LayerPrecisions& layers, const MeasuredCombination& one) {
  std::map<std::string, int, std::greater<>> counts;
  for (const auto& precision : precisions_of(layers, one)) ++counts[precision.get<std::string>()];
  std::string text;
  for (const auto& [precision, count] : counts)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, precision);
  return text;
}

template <typename Cost>
std::vector<Point> points_of(const SearchedPrecisions& found, Cost cost, std::optional<Proposal> only = {}) {
  std::vector<Point> points;
  for (const MeasuredCombination& one : found.combinations) {
    const bool wanted = only ? one.by == *only : one.by != Proposal::random;
    if (wanted) points.push_back({cost(one), one.accuracy});
  }
  return points;
}

double time_of(const MeasuredCombination& one) {
  return one.milliseconds;
}

double bytes_read_by(const MeasuredCombination& one) {
  return static_cast<double>(one.weight_bytes);
}

Table table_of(const onnx::ModelFile& file, const LayerPrecisions& layers, const SearchedPrecisions& found,
               const std::string& measure, bool all) {
  Table table({{"sub-net", "subnet"},
               {"widths", "widths"},
               {"layers", ""},
               {"by", "by"},
               {"ms", "milliseconds"},
               {"weights, KB", ""},
               {measure, "accuracy"},
               {"loss", ""},
               {"front of", ""},
               {"chosen", ""},
               {"", "weight_bytes"},
               {"", "loss"},
               {"", "estimated_loss"},
               {"", "on_front_of_milliseconds"},
               {"", "on_front_of_bytes"},
               {"", "chosen"},
               {"", "layers"}});
  const std::vector<bool> by_time = quantization::on_front(points_of(found, time_of));
  const std::vector<bool> by_bytes = quantization::on_front(points_of(found, bytes_read_by));
  for (std::size_t i = 0; i < found.combinations.size(); ++i) {
    const MeasuredCombination& one = found.combinations[i];
    const bool random = one.by == Proposal::random;  // they are the last
    const bool fast = !random && by_time[i], small = !random && by_bytes[i];
    if (!all && !one.chosen && !fast && !small) continue;
    table.add({whole(one.mixed.subnet), words(to_string(file.subnets[one.mixed.subnet].subnet)),
               words(count_of(layers, one)), words(std::string(proposal_name(one.by))),
               fixed(one.milliseconds, 4),
               words(fmt::format("{:.1f}", static_cast<double>(one.weight_bytes) / 1e3)),
               percent(one.accuracy), words(fmt::format("{:.1e}", one.loss)),
               words(fast && small ? "ms, bytes"
                     : fast        ? "ms"
                     : small       ? "bytes"
                                   : ""),
               words(one.chosen ? "yes" : ""), unseen(one.weight_bytes),
               random ? Table::Cell{} : unseen(one.loss), unseen(one.estimated_loss), unseen(fast),
               unseen(small), unseen(one.chosen), unseen(precisions_of(layers, one))});
  }
  return table;
}

/// What every width wholly in one precision is compared at.
Proposal lowest(const LayerPrecisions& layers) {
  return layers.has(Precision::int8) ? Proposal::int8 : Proposal::bf16;
}

/// The most accurate sub-net within a few latencies.
struct AtLatency {
  double milliseconds = 0;
  std::optional<double> front, low, fp32, random;
};

std::vector<AtLatency> at_latencies(const SearchedPrecisions& found, Proposal low) {
  const std::vector<Point> rounded = points_of(found, time_of, low);
  std::vector<AtLatency> all;
  for (const double ms : quantization::costs_between(rounded, kLatencies)) {
    const auto best = [&](const std::vector<Point>& points) {
      return quantization::most_accurate(points, ms);
    };
    all.push_back({.milliseconds = ms,
                   .front = best(points_of(found, time_of)),
                   .low = best(rounded),
                   .fp32 = best(points_of(found, time_of, Proposal::fp32)),
                   .random = best(points_of(found, time_of, Proposal::random))});
  }
  return all;
}

Table latency_table(const std::vector<AtLatency>& latencies, Proposal low) {
  Table table({{"ms", "milliseconds"},
               {"front", "front"},
               {fmt::format("all {}", proposal_name(low)), fmt::format("all_{}", proposal_name(low))},
               {"all fp32", "all_fp32"},
               {"random", "random"}});
  for (const AtLatency& one : latencies)
    table.add({fixed(one.milliseconds, 4), percent_or_dash(one.front), percent_or_dash(one.low),
               percent_or_dash(one.fp32), percent_or_dash(one.random)});
  return table;
}

/// How many times as fast as the largest sub-net wholly in `low` the front is at its accuracy.
double speed_up(const SearchedPrecisions& found, Proposal low) {
  const std::vector<Point> rounded = points_of(found, time_of, low);
  const std::vector<Point> all = points_of(found, time_of);
  return rounded.front().cost / *quantization::cheapest(all, rounded.front().accuracy);
}

int count_above(const std::vector<AtLatency>& latencies, std::optional<double> AtLatency::*other) {
  int count = 0;
  for (const AtLatency& one : latencies) count += one.front > one.*other ? 1 : 0;
  return count;
}

/// Between the estimated and the measured losses of all that were searched.
double correlation(const SearchedPrecisions& found) {
  std::vector<double> estimated, measured;
  for (const MeasuredCombination& one : found.combinations) {
    if (one.by == Proposal::random || one.by == Proposal::fp32) continue;
    estimated.push_back(one.estimated_loss);
    measured.push_back(one.loss);
  }
  return spearman(estimated, measured);
}

/// Of the packed weights if every sub-net is wholly in this precision.
std::int64_t packed_bytes_in(const LayerPrecisions& layers, Precision precision, int subnets) {
  std::vector<quantization::Combination> all;
  for (int i = 0; i < subnets; ++i) all.push_back(layers.all_in(precision, i));
  return layers.other_bytes() + quantization::bytes_of(layers.bytes(), all);
}

std::int64_t random_combinations(const SearchedPrecisions& found) {
  return std::count_if(found.combinations.begin(), found.combinations.end(),
                       [](const MeasuredCombination& one) { return one.by == Proposal::random; });
}

}  // namespace

void print_precisions(const onnx::ModelFile& file, const LayerPrecisions& layers,
                      const SearchedPrecisions& found, const std::string& measure, const std::string& out,
                      bool as_json) {
  const Proposal low = lowest(layers);
  const Precision low_precision = low == Proposal::int8 ? Precision::int8 : Precision::bf16;
  const auto subnets = static_cast<int>(file.subnets.size());
  const std::int64_t random = random_combinations(found), searched = std::ssize(found.combinations) - random;
  const std::int64_t fp32_bytes = packed_bytes_in(layers, Precision::fp32, subnets);
  const std::int64_t low_bytes = packed_bytes_in(layers, low_precision, subnets);
  const std::vector<AtLatency> latencies = at_latencies(found, low);
  const double faster = speed_up(found, low);
  const int above_low = count_above(latencies, &AtLatency::low);
  const int above_random = count_above(latencies, &AtLatency::random);
  const Table table = table_of(file, layers, found, measure, as_json);
  if (as_json) {
    const nlohmann::json all = {
        {"combinations", table.json()},
        {"latencies", latency_table(latencies, low).json()},
        {"speed_up", faster},
        {"latencies_above_" + std::string(proposal_name(low)), above_low},
        {"latencies_above_random", above_random},
        {"images", found.images},
        {"loss_images", found.loss_images},
        {"evaluations", {{"layers", found.layer_evaluations}, {"searched", searched}, {"random", random}}},
        {"correlation", correlation(found)},
        {"packed_bytes",
         {{"table", found.bytes}, {"fp32", fp32_bytes}, {std::string(proposal_name(low)), low_bytes}}},
        {"out", out}};
    fmt::print("{}\n", all.dump(1, ' ', false, nlohmann::json::error_handler_t::replace));
    return;
  }
  fmt::print(
      "{}\nThe most accurate within these times, on {} images:\n\n{}\n"
      "At the accuracy of sub-net 0 wholly in {}, the front is {:.2f} times as fast.\n"
      "It is more accurate than every sub-net wholly in {} at {} of {} times, and than random search at {}.\n"
      "Evaluations: {} of single layers on {} images, {} of combinations on {}; random search had {} on {}.\n"
      "The rank correlation of estimated and measured losses is {:.3f}.\n"
      "The packed weights take {} bytes; wholly in fp32 {}, wholly in {} {}.\n"
      "The table is {}.\n",
      table.text(), found.images, latency_table(latencies, low).text(), proposal_name(low), faster,
      proposal_name(low), above_low, kLatencies, above_random, found.layer_evaluations, found.loss_images,
      searched, found.images, random, found.images, correlation(found), found.bytes, fp32_bytes,
      proposal_name(low), low_bytes, out);
}

}  // namespace concertina::apps
