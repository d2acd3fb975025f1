#include "device/cascade_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <numeric>

#include "base/machine.h"
#include "common/table.h"

namespace concertina::apps {
namespace {

using cascade::Cascade;
using nlohmann::json;
using Rows = std::vector<std::vector<std::string>>;

std::string percent(double share) {
  return fmt::format("{:.2f} %", 100 * share);
}

/// The stages, and how many of `images` stop at each.
std::string stage_table(const cascade::Cascade& cascade, const std::vector<std::int64_t>& stopped) {
  const auto images = static_cast<double>(std::accumulate(stopped.begin(), stopped.end(), std::int64_t{0}));
  Rows rows = {{"stage", "image", "sub-net", "own weight", "weight before", "threshold", "stop here"}};
  for (std::size_t i = 0; i < cascade.stages.size(); ++i) {
    const cascade::CascadeStage& stage = cascade.stages[i];
    const bool last = i + 1 == cascade.stages.size();
    rows.push_back({std::to_string(i + 1), stage.look.mirrored ? "mirrored" : "as it is",
                    std::to_string(stage.look.subnet), fmt::format("{:.3f}", stage.blend.own),
                    fmt::format("{:.3f}", stage.blend.before),
                    last ? "-" : fmt::format("{:.4f}", stage.threshold),
                    percent(static_cast<double>(stopped[i]) / images)});
  }
  return format_table(rows);
}

json side_json(const MeasuredSide& side) {
  return {{"accuracy", side.accuracy}, {"milliseconds", side.ms}, {"in_time", side.in_time}};
}

}  // namespace

void print_choice(const cascade::CascadeChoice& choice, const std::vector<Calibration>& calibrations,
                  const std::string& file, bool as_json) {
  const cascade::Cascade& cascade = choice.cascade;
  const cascade::CascadePromise& promise = cascade.promise;
  const std::vector<std::int64_t> stopped(choice.stopped.begin(), choice.stopped.end());
  if (as_json) {
    const json all = {{"cpu", cpu_name()},
                      {"calibration", calibration_json(calibrations)},
                      {"margin", choice.margin},
                      {"stopped", stopped},
                      {"file", file},
                      {"cascade", json::parse(cascade.to_json())}};
    fmt::print("{}\n", all.dump(1));
    return;
  }
  fmt::print("{}\n{}\n", calibration_table(calibrations), stage_table(cascade, stopped));
  fmt::print(
      "Confidence is the {}. Of {} validation images, each judged by cascades that were chosen on others,\n"
      "{} right in {:.4f} ms; sub-net {}: {} in {:.4f} ms; {:.3f} of its time. The cascade is {}.\n",
      name_of(cascade.measure), promise.images, percent(promise.accuracy), promise.ms, promise.reference,
      percent(promise.reference_accuracy), promise.reference_ms, promise.ms / promise.reference_ms, file);
}

void print_measured(const MeasuredCascade& measured, const cascade::Cascade& cascade,
                    const CascadeMeasureOptions& options, bool as_json) {
  const std::vector<std::int64_t> stopped(measured.stopped.begin() + 1, measured.stopped.end());
  if (as_json) {
    const json all = {{"cpu", cpu_name()},
                      {"images", measured.images},
                      {"rounds", options.rounds},
                      {"cascade", side_json(measured.cascade)},
                      {"reference", side_json(measured.reference)},
                      {"ratio", measured.ratio},
                      {"ratio_5", measured.ratio_low},
                      {"ratio_95", measured.ratio_high},
                      {"only_cascade_right", measured.only_cascade_right},
                      {"only_reference_right", measured.only_reference_right},
                      {"other_label", measured.other_label},
                      {"stopped", measured.stopped},
                      {"cut_short", measured.cut_short}};
    fmt::print("{}\n", all.dump(1));
    return;
  }
  fmt::print("{}\n", stage_table(cascade, stopped));
  Rows rows = {{"", "", "top-1", "ms an image"}};
  rows.push_back(
      {"cascade", "", percent(measured.cascade.accuracy), fmt::format("{:.4f}", measured.cascade.ms)});
  rows.push_back({"sub-net", std::to_string(cascade.promise.reference), percent(measured.reference.accuracy),
                  fmt::format("{:.4f}", measured.reference.ms)});
  if (options.deadline_ms) {
    rows[0].emplace_back("in time");
    rows[1].push_back(percent(measured.cascade.in_time));
    rows[2].push_back(percent(measured.reference.in_time));
  }
  fmt::print(
      "{}\n{:.3f} of the time ({:.3f} .. {:.3f} in 90 % of the blocks of {} images), {} images in {} "
      "rounds on {}\n",
      format_table(rows), measured.ratio, measured.ratio_low, measured.ratio_high, options.block,
      measured.images, options.rounds, cpu_name());
  fmt::print(
      "They call {} images differently; of these the cascade alone is right on {}, the sub-net alone on "
      "{}.\n",
      measured.other_label, measured.only_cascade_right, measured.only_reference_right);
  if (!options.deadline_ms) return;
  fmt::print("The deadline of {} ms kept stages from running in {} of {} runs, and every stage in {}.\n",
             *options.deadline_ms, measured.cut_short, std::int64_t{measured.images} * options.rounds,
             measured.stopped[0]);
}

}  // namespace concertina::apps
