#include "device/cascade_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <numeric>
#include <span>

#include "base/machine.h"
#include "cascade/replay.h"
#include "common/table.h"

namespace concertina::apps {
namespace {

using cascade::Cascade;
using Rows = std::vector<std::vector<std::string>>;

Calibration calibration_of(const cascade::LabelledLogits& data,
                           const cascade::LabelledLogits::Column& column) {
  std::vector<int> half(static_cast<std::size_t>(data.images()) / 2);
  std::iota(half.begin(), half.end(), 0);
  const cascade::Blend blend = cascade::fit_blend(column.logits, {}, data.labels, half);
  Calibration result{.temperature = 1 / blend.own, .separations = {}};
  const auto judge = [&](const cascade::Blend& by, cascade::ConfidenceMeasure measure, auto summary) {
    const cascade::ChainStage stage = cascade::run_stage(data, column, {}, by, measure);
    return summary(std::span(stage.confidence).subspan(half.size()),
                   std::span(stage.correct).subspan(half.size()));
  };
  const auto error = [](auto confidence, auto correct) {
    return cascade::expected_calibration_error(confidence, correct);
  };
  result.error_before = judge({}, cascade::ConfidenceMeasure::probability, error);
  result.error_after = judge(blend, cascade::ConfidenceMeasure::probability, error);
  for (std::size_t i = 0; i < cascade::kConfidenceMeasures.size(); ++i) {
    result.separations.push_back(
        judge(blend, static_cast<cascade::ConfidenceMeasure>(i), cascade::separation));
  }
  return result;
}

Table calibration_table(const std::vector<Calibration>& calibrations) {
  Table table({{"sub-net", ""},
               {"temperature", "temperature"},
               {"calibration error", "calibration_error"},
               {"after", "calibration_error_after"},
               {"separation by probability", ""},
               {"margin", ""},
               {"entropy", ""},
               {"", "separation"}});
  for (int subnet = 0; const Calibration& one : calibrations) {
    std::vector<Table::Cell> row = {whole(subnet++), fixed(one.temperature, 3), fixed(one.error_before, 4),
                                    fixed(one.error_after, 4)};
    for (const double separation : one.separations) row.push_back(fixed(separation, 4));
    row.push_back(unseen(one.separations));
    table.add(std::move(row));
  }
  return table;
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
                    percent(static_cast<double>(stopped[i]) / images).text});
  }
  return format_table(rows);
}

nlohmann::json side_json(const MeasuredSide& side) {
  return {{"accuracy", side.accuracy}, {"milliseconds", side.ms}, {"in_time", side.in_time}};
}

}  // namespace

std::vector<Calibration> calibrations_of(const cascade::LabelledLogits& data) {
  std::vector<Calibration> calibrations;
  for (const cascade::LabelledLogits::Column& column : data.columns) {
    if (!column.look.mirrored) calibrations.push_back(calibration_of(data, column));
  }
  return calibrations;
}

void print_choice(const cascade::CascadeChoice& choice, const std::vector<Calibration>& calibrations,
                  const std::string& file, bool as_json) {
  const cascade::Cascade& cascade = choice.cascade;
  const cascade::CascadePromise& promise = cascade.promise;
  const std::vector<std::int64_t> stopped(choice.stopped.begin(), choice.stopped.end());
  if (as_json) {
    const nlohmann::json all = {{"cpu", cpu_name()},
                                {"calibration", calibration_table(calibrations).json()},
                                {"margin", choice.margin},
                                {"stopped", stopped},
                                {"file", file},
                                {"cascade", nlohmann::json::parse(cascade.to_json())}};
    fmt::print("{}\n", all.dump(1));
    return;
  }
  fmt::print("{}\n{}\n", calibration_table(calibrations).text(), stage_table(cascade, stopped));
  fmt::print(
      "Confidence is the {}. Of {} validation images, each judged by cascades that were chosen on others,\n"
      "{} right in {:.4f} ms; sub-net {}: {} in {:.4f} ms; {:.3f} of its time. The cascade is {}.\n",
      name_of(cascade.measure), promise.images, percent(promise.accuracy).text, promise.ms, promise.reference,
      percent(promise.reference_accuracy).text, promise.reference_ms, promise.ms / promise.reference_ms,
      file);
}

void print_measured(const MeasuredCascade& measured, const cascade::Cascade& cascade,
                    const CascadeMeasureOptions& options, const std::string& images, bool as_json) {
  const std::vector<std::int64_t> stopped(measured.stopped.begin() + 1, measured.stopped.end());
  if (as_json) {
    const nlohmann::json all = {{"cpu", cpu_name()},
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
      {"cascade", "", percent(measured.cascade.accuracy).text, fmt::format("{:.4f}", measured.cascade.ms)});
  rows.push_back({"sub-net", std::to_string(cascade.promise.reference),
                  percent(measured.reference.accuracy).text, fmt::format("{:.4f}", measured.reference.ms)});
  if (options.deadline_ms) {
    rows[0].emplace_back("in time");
    rows[1].push_back(percent(measured.cascade.in_time).text);
    rows[2].push_back(percent(measured.reference.in_time).text);
  }
  fmt::print(
      "{}\n{:.3f} of the time "
      "({:.3f} .. {:.3f} in 90 % of the blocks of {} images), "
      "{} {} in {} rounds on {}\n",
      format_table(rows), measured.ratio, measured.ratio_low, measured.ratio_high, options.block,
      measured.images, images, options.rounds, cpu_name());
  fmt::print(
      "They call {} images differently; "
      "of these the cascade alone is right on {}, the sub-net alone on {}.\n",
      measured.other_label, measured.only_cascade_right, measured.only_reference_right);
  if (!options.deadline_ms) return;
  fmt::print("The deadline of {} ms kept stages from running in {} of {} runs, and every stage in {}.\n",
             *options.deadline_ms, measured.cut_short, std::int64_t{measured.images} * options.rounds,
             measured.stopped[0]);
}

}  // namespace concertina::apps
